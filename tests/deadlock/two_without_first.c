/* does cycle: the first thread has ended, two others are stuck. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    start(forward, NULL);
    start(backward, NULL);
    pthread_exit(NULL);
}

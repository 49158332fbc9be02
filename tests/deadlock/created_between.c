/* cannot: the second order begins in a thread started after the first. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    join(start(backward, NULL));
    return 0;
}

/* cannot: the flag of the condition was set before anybody waits. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int done;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    lock(&m);
    done = 1;
    pthread_cond_signal(&c);
    unlock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    while (!done)
        pthread_cond_wait(&c, &m);
    unlock(&m);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

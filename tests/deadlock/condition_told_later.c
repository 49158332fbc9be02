/* cannot: the signal comes when another mutex has been taken since the flag. */
#include "common.h"

static pthread_mutex_t other = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int done;

static void *
forward(void *unused)
{
    apart();
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    lock(&m);
    done = 1;
    unlock(&m);
    lock(&other);
    unlock(&other);
    pthread_cond_signal(&c);
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
    run_both(forward, backward);
    return 0;
}

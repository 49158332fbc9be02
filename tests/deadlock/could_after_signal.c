/* could 2: a condition passes between, but of another matter. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready;

static void *
forward(void *unused)
{
    lock(&m);
    ready = 1;
    pthread_cond_signal(&c);
    unlock(&m);
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    while (!ready)
        pthread_cond_wait(&c, &m);
    unlock(&m);
    apart();
    lock(&second);
    lock(&first); /* here */
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

/* does cycle --doubt=1: who waits at a barrier has the mutex that the other
 * party wants; a third thread runs on. */
#include "common.h"

static pthread_barrier_t b;
static pthread_mutex_t m = MUTEX;

static void *
holder(void *unused)
{
    pthread_barrier_wait(&b);
    lock(&m);
    meet();
    pthread_barrier_wait(&b);
    return unused;
}

static void *
other(void *unused)
{
    pthread_barrier_wait(&b);
    meet();
    lock(&m);
    pthread_barrier_wait(&b);
    return unused;
}

static void *
worker(void *unused)
{
    for (;;)
        sleep_ms(10);
    return unused;
}

int
main(void)
{
    must(pthread_barrier_init(&b, NULL, 2));
    start(worker, NULL);
    run_both(holder, other);
    return 0;
}

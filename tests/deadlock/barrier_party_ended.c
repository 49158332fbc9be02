/* does asleep --doubt=1: one of three that meet at a barrier ends after a
 * round; another thread runs on. */
#include "common.h"

static pthread_barrier_t b;

static void *
routine(void *arg)
{
    pthread_barrier_wait(&b);
    if (arg == NULL)
        pthread_barrier_wait(&b);
    return NULL;
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
    must(pthread_barrier_init(&b, NULL, 3));
    start(worker, NULL);
    const pthread_t t = start(routine, &b);
    run_both(routine, routine);
    join(t);
    return 0;
}

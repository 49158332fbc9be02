/* possible: a party has ended, and a thread that was never at the barrier, nor
 * started any, comes in its place after a while. */
#include "common.h"

static pthread_barrier_t b;

static void *
once(void *unused)
{
    pthread_barrier_wait(&b);
    return unused;
}

static void *
twice(void *unused)
{
    pthread_barrier_wait(&b);
    pthread_barrier_wait(&b);
    return unused;
}

static void *
third(void *unused)
{
    sleep_ms(5L * A_WHILE_MS);
    pthread_barrier_wait(&b);
    return unused;
}

int
main(void)
{
    must(pthread_barrier_init(&b, NULL, 2));
    const pthread_t t = start(third, NULL);
    run_both(twice, once);
    join(t);
    return 0;
}

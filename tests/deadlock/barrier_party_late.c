/* cannot: one party comes much later than the others. */
#include "common.h"

static pthread_barrier_t b;

static void *
routine(void *arg)
{
    pthread_barrier_wait(&b);
    if (arg != NULL)
        sleep_ms(4L * A_WHILE_MS);
    pthread_barrier_wait(&b);
    return NULL;
}

int
main(void)
{
    must(pthread_barrier_init(&b, NULL, 3));
    const pthread_t t = start(routine, &b);
    run_both(routine, routine);
    join(t);
    return 0;
}

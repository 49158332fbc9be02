/* does asleep: a barrier for three has two who come. */
#include "common.h"

static pthread_barrier_t b;

static void *
routine(void *unused)
{
    pthread_barrier_wait(&b);
    return unused;
}

int
main(void)
{
    must(pthread_barrier_init(&b, NULL, 3));
    run_both(routine, routine);
    return 0;
}

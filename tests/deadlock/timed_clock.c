/* cannot: both inner locks have a deadline of the monotonic clock. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
wait_a_while(pthread_mutex_t *m)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 10;
    if (pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &until) == 0)
        unlock(m);
}

static void *
forward(void *unused)
{
    lock(&first);
    wait_a_while(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    apart();
    lock(&second);
    wait_a_while(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

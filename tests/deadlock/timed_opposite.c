/* cannot: opposite order with deadlines on both sides. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
try_for_a_while(pthread_mutex_t *m)
{
    const struct timespec until = in_ms(A_WHILE_MS);

    if (pthread_mutex_timedlock(m, &until) == 0)
        unlock(m);
}

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    try_for_a_while(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    try_for_a_while(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

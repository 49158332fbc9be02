/* cannot: a mutex is unlocked by another thread, so it is not held any more. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
unlocks(void *unused)
{
    unlock(&first);
    return unused;
}

static void *
forward(void *unused)
{
    lock(&first);
    join(start(unlocks, NULL));
    lock(&second);
    unlock(&second);
    return unused;
}

static void *
backward(void *unused)
{
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

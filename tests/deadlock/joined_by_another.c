/* cannot: the second order begins after a join, two threads further. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
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

static void *
between(void *unused)
{
    join(start(forward, NULL));
    return unused;
}

int
main(void)
{
    join(start(between, NULL));
    join(start(backward, NULL));
    return 0;
}

/* cannot: each lock is given up before the next. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    unlock(&first);
    lock(&second);
    unlock(&second);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    unlock(&second);
    lock(&first);
    unlock(&first);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

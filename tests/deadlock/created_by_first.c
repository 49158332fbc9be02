/* cannot: each starts the next, with its order behind it. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

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
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    join(start(backward, NULL));
    return unused;
}

int
main(void)
{
    join(start(forward, NULL));
    return 0;
}

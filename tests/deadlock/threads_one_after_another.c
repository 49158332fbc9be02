/* cannot: a hundred threads, each joined before the next, in both orders. */
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

int
main(void)
{
    for (int i = 0; i < 50; i++) {
        join(start(forward, NULL));
        join(start(backward, NULL));
    }
    return 0;
}

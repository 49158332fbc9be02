/* cannot: the child has one order; its parent, having joined it, the other. */
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

int
main(void)
{
    join(start(forward, NULL));
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return 0;
}

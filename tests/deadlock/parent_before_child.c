/* cannot: the parent has one order before it starts the child. */
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

int
main(void)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    for (int i = 0; i < 3; i++)
        join(start(backward, NULL));
    return 0;
}

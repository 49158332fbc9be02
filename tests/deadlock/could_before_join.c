/* could 2: the orders are in a thread and in who joins it later. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(forward, NULL);

    apart();
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    join(t);
    return 0;
}

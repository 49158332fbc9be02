/* could 2: one of the orders in a handler of exit. */
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
    over();
    return unused;
}

static void
at_exit(void)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
}

int
main(void)
{
    atexit(at_exit);
    start(forward, NULL);
    until_over();
    return 0;
}

/* could 2: one of the orders in a handler of quick_exit. */
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
backward(void)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
}

int
main(void)
{
    must(at_quick_exit(backward));
    start(forward, NULL);
    until_over();
    quick_exit(0);
}

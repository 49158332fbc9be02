/* could 2: the program ends by quick_exit at once. */
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

static __attribute__((noinline)) void
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
    start(forward, NULL);
    until_over();
    backward();
    quick_exit(0);
}

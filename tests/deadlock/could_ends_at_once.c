/* could 2: the program ends by _exit just behind the second order. */
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

int
main(void)
{
    start(forward, NULL);
    until_over();
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    _exit(0);
}

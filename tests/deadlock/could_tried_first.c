/* could 2: the first is got by a try, the second by a wait. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    must(pthread_mutex_trylock(&first));
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_mutex_trylock(&second));
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

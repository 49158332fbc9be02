/* could 2: adaptive mutexes in opposite orders. */
#include "common.h"

static pthread_mutex_t first;
static pthread_mutex_t second;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    init_kind(&first, PTHREAD_MUTEX_ADAPTIVE_NP);
    init_kind(&second, PTHREAD_MUTEX_ADAPTIVE_NP);

    run_apart(forward, backward);
    return 0;
}

/* cannot: a recursive mutex is taken again inside another one. */
#include "common.h"

static pthread_mutex_t outer;
static pthread_mutex_t inner = MUTEX;

static void *
forward(void *unused)
{
    lock(&outer);
    lock(&inner);
    lock(&outer);
    unlock(&outer);
    unlock(&inner);
    unlock(&outer);
    return unused;
}

int
main(void)
{
    init_kind(&outer, PTHREAD_MUTEX_RECURSIVE);
    run_both(forward, forward);
    return 0;
}

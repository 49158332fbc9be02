/* cannot: the gate is taken between the two outer locks. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t gate = MUTEX;

static void *
forward(void *unused)
{
    lock(&gate);
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    unlock(&gate);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&gate);
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    unlock(&gate);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

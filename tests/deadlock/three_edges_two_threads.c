/* cannot: a ring of three whose orders two threads have. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;

static void *
forward(void *unused)
{
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    lock(&b);
    lock(&c);
    unlock(&c);
    unlock(&b);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&c);
    lock(&a);
    unlock(&a);
    unlock(&c);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

/* cannot: the gate is read by one and written by the other. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    must(pthread_rwlock_rdlock(&gate));
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    must(pthread_rwlock_unlock(&gate));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_rwlock_wrlock(&gate));
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    must(pthread_rwlock_unlock(&gate));
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

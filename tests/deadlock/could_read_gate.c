/* could 2: the gate is only read. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    must(pthread_rwlock_rdlock(&gate));
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    must(pthread_rwlock_unlock(&gate));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_rwlock_rdlock(&gate));
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    must(pthread_rwlock_unlock(&gate));
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

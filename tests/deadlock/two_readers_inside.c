/* cannot: both orders of read locks, each inside another mutex. */
#include "common.h"

static pthread_mutex_t left = MUTEX;
static pthread_mutex_t right = MUTEX;
static pthread_rwlock_t first = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    lock(&left);
    must(pthread_rwlock_rdlock(&first));
    must(pthread_rwlock_rdlock(&second));
    must(pthread_rwlock_unlock(&second));
    must(pthread_rwlock_unlock(&first));
    unlock(&left);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&right);
    must(pthread_rwlock_rdlock(&second));
    must(pthread_rwlock_rdlock(&first));
    must(pthread_rwlock_unlock(&first));
    must(pthread_rwlock_unlock(&second));
    unlock(&right);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

/* cannot: one reads both; the other writes the second inside the first, read. */
#include "common.h"

static pthread_rwlock_t first = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    must(pthread_rwlock_rdlock(&first));
    must(pthread_rwlock_wrlock(&second));
    must(pthread_rwlock_unlock(&second));
    must(pthread_rwlock_unlock(&first));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_rwlock_rdlock(&first));
    must(pthread_rwlock_rdlock(&second));
    must(pthread_rwlock_unlock(&second));
    must(pthread_rwlock_unlock(&first));
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

/* cannot: both orders, but all only read. */
#include "common.h"

static pthread_rwlock_t first = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    pthread_rwlock_rdlock(&first);
    meet();
    pthread_rwlock_rdlock(&second);
    pthread_rwlock_unlock(&second);
    pthread_rwlock_unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    pthread_rwlock_rdlock(&second);
    meet();
    pthread_rwlock_rdlock(&first);
    pthread_rwlock_unlock(&first);
    pthread_rwlock_unlock(&second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

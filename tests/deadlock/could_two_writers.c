/* could 2: opposite orders of read-write locks that do not meet. */
#include "common.h"

static pthread_rwlock_t first = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    pthread_rwlock_wrlock(&first);
    pthread_rwlock_wrlock(&second);
    pthread_rwlock_unlock(&second);
    pthread_rwlock_unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    sleep_ms(A_WHILE_MS);
    pthread_rwlock_wrlock(&second);
    pthread_rwlock_wrlock(&first);
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

/* could 2: each writes one lock and then reads the other. */
#include "common.h"

static pthread_rwlock_t first = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    must(pthread_rwlock_wrlock(&first));
    must(pthread_rwlock_rdlock(&second)); /* here */
    must(pthread_rwlock_unlock(&second));
    must(pthread_rwlock_unlock(&first));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_rwlock_wrlock(&second));
    must(pthread_rwlock_rdlock(&first)); /* here */
    must(pthread_rwlock_unlock(&first));
    must(pthread_rwlock_unlock(&second));
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

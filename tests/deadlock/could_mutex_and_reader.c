/* could 2: a mutex and then to read; to write and then the mutex. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;

static void *
forward(void *unused)
{
    lock(&first);
    must(pthread_rwlock_rdlock(&second)); /* here */
    must(pthread_rwlock_unlock(&second));
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_rwlock_wrlock(&second));
    lock(&first); /* here */
    unlock(&first);
    must(pthread_rwlock_unlock(&second));
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

/* cannot: one thread locks to read, another unlocks; both then read and write. */
#include "common.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t m = MUTEX;

static void *
forward(void *unused)
{
    pthread_rwlock_rdlock(&l); /* on the list of this thread it stays */
    meet();
    meet();
    lock(&m);
    unlock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    meet();
    pthread_rwlock_unlock(&l);
    lock(&m);
    pthread_t t =
        start((void *(*)(void *))(void (*)(void))pthread_rwlock_rdlock, &l);
    join(t); /* it has ended as a reader */
    meet();
    t = start((void *(*)(void *))(void (*)(void))pthread_rwlock_wrlock, &l);
    sleep_ms(A_WHILE_MS);
    pthread_rwlock_unlock(&l);
    join(t);
    pthread_rwlock_unlock(&l);
    unlock(&m);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

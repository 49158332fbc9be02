/* cannot: an error-checking mutex refuses, and so do a writer and a join. */
#include "common.h"

static void
expect(int result, int wanted)
{
    if (result != wanted)
        exit(1);
}

int
main(void)
{
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
    pthread_mutex_t m;

    init_kind(&m, PTHREAD_MUTEX_ERRORCHECK);
    lock(&m);
    expect(pthread_mutex_lock(&m), EDEADLK);
    expect(pthread_mutex_trylock(&m), EBUSY);
    unlock(&m);
    expect(pthread_mutex_unlock(&m), EPERM);
    pthread_rwlock_wrlock(&l);
    expect(pthread_rwlock_wrlock(&l), EDEADLK);
    expect(pthread_rwlock_rdlock(&l), EDEADLK);
    expect(pthread_rwlock_trywrlock(&l), EBUSY);
    expect(pthread_join(pthread_self(), NULL), EDEADLK);
    return 0;
}

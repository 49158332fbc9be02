/* cannot: a reader reads again behind a writer that has no precedence. */
#include "common.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void *
write_it(void *unused)
{
    pthread_rwlock_wrlock(&l);
    pthread_rwlock_unlock(&l);
    return unused;
}

int
main(void)
{
    pthread_rwlock_rdlock(&l);
    const pthread_t t = start(write_it, NULL);
    sleep_ms(A_WHILE_MS);
    pthread_rwlock_rdlock(&l);
    pthread_rwlock_unlock(&l);
    pthread_rwlock_unlock(&l);
    join(t);
    return 0;
}

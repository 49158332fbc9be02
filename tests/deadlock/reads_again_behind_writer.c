/* does cycle: a reader reads again, and a writer in between has precedence. */
#include "common.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void *
write_it(void *unused)
{
    pthread_rwlock_wrlock(&l);
    return unused;
}

int
main(void)
{
    pthread_rwlock_rdlock(&l);
    start(write_it, NULL);
    while (pthread_rwlock_tryrdlock(&l) == 0)
        pthread_rwlock_unlock(&l);
    pthread_rwlock_rdlock(&l);
    return 0;
}

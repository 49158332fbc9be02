/* does orphaned: a thread has ended as a reader. */
#include "common.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void *
keep(void *unused)
{
    pthread_rwlock_rdlock(&l);
    return unused;
}

int
main(void)
{
    join(start(keep, NULL));
    pthread_rwlock_wrlock(&l);
    return 0;
}

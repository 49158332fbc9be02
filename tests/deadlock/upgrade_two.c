/* does upgrade: two readers want to write. */
#include "common.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void *
routine(void *unused)
{
    pthread_rwlock_rdlock(&l);
    meet();
    pthread_rwlock_wrlock(&l);
    return unused;
}

int
main(void)
{
    run_both(routine, routine);
    return 0;
}

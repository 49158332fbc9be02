/* does cycle: one has a mutex and wants to write, one reads and wants the mutex. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void *
write_it(void *unused)
{
    lock(&m);
    meet();
    pthread_rwlock_wrlock(&l);
    return unused;
}

static void *
read_it(void *unused)
{
    pthread_rwlock_rdlock(&l);
    meet();
    lock(&m);
    return unused;
}

int
main(void)
{
    run_both(write_it, read_it);
    return 0;
}

/* does self|upgrade: a reader wants to write. */
#include "common.h"

int
main(void)
{
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

    pthread_rwlock_rdlock(&l);
    pthread_rwlock_wrlock(&l);
    return 0;
}

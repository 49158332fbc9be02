/* does self: a mutex is locked twice before main begins. */
#include "common.h"

__attribute__((constructor)) static void
early(void)
{
    static pthread_mutex_t m = MUTEX;

    lock(&m);
    lock(&m);
}

int
main(void)
{
    return 0;
}

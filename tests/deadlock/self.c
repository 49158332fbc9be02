/* does self: a mutex is locked twice, in a program with one thread. */
#include "common.h"

int
main(void)
{
    pthread_mutex_t m = MUTEX;

    lock(&m);
    lock(&m);
    return 0;
}

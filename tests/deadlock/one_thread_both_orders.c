/* cannot: both orders in one thread. */
#include "common.h"

int
main(void)
{
    pthread_mutex_t first = MUTEX;
    pthread_mutex_t second = MUTEX;

    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return 0;
}

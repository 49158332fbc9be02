/* does cycle: a thread is joined by the owner of the mutex it wants. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
routine(void *unused)
{
    lock(&m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    lock(&m);
    join(start(routine, NULL));
    unlock(&m);
    return 0;
}

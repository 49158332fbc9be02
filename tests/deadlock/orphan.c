/* does orphaned: a thread has ended with a mutex that another wants. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
keep(void *unused)
{
    lock(&m);
    return unused;
}

int
main(void)
{
    join(start(keep, NULL));
    lock(&m);
    return 0;
}

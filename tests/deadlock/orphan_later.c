/* does orphaned: a thread waits for a mutex, then its owner ends. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
keep(void *unused)
{
    lock(&m);
    meet();
    sleep_ms(A_WHILE_MS);
    return unused;
}

int
main(void)
{
    start(keep, NULL);
    meet();
    lock(&m);
    return 0;
}

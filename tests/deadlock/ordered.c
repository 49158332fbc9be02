/* cannot: two mutexes in one order, under load. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
routine(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        lock(&first);
        lock(&second);
        unlock(&second);
        unlock(&first);
    }
    return unused;
}

int
main(void)
{
    run_both(routine, routine);
    return 0;
}

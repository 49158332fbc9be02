/* does asleep: the workers of a queue were never told to end. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void *
work(void *unused)
{
    lock(&m);
    for (;;)
        pthread_cond_wait(&c, &m);
    return unused;
}

int
main(void)
{
    run_both(work, work);
    return 0;
}

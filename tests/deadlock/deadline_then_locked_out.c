/* does cycle: the deadline of a condition passes, and its mutex is kept for good. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int waits;

static void *
wait_for_it(void *unused)
{
    const struct timespec until = in_ms(A_WHILE_MS);

    lock(&m);
    waits = 1;
    pthread_cond_timedwait(&c, &m, &until);
    unlock(&m);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(wait_for_it, NULL);

    lock(&m);
    while (!waits) {
        unlock(&m);
        sleep_ms(1);
        lock(&m);
    }
    join(t);
    return 0;
}

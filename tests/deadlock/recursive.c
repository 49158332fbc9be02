/* cannot: a recursive mutex, three times, with somebody behind it. */
#include "common.h"

static pthread_mutex_t m;

static void *
wait_for_it(void *unused)
{
    meet();
    lock(&m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    init_kind(&m, PTHREAD_MUTEX_RECURSIVE);
    lock(&m);
    lock(&m);
    lock(&m);
    const pthread_t t = start(wait_for_it, NULL);
    meet();
    sleep_ms(A_WHILE_MS);
    unlock(&m);
    unlock(&m);
    sleep_ms(A_WHILE_MS);
    unlock(&m);
    join(t);
    return 0;
}

/* cannot: everybody waits for one who works for long. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
wait_for_it(void *unused)
{
    lock(&m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    lock(&m);
    const pthread_t a = start(wait_for_it, NULL);
    const pthread_t b = start(wait_for_it, NULL);
    sleep_ms(3 * A_WHILE_MS);
    unlock(&m);
    join(a);
    join(b);
    return 0;
}

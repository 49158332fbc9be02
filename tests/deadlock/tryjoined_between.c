/* cannot: the thread is joined by tries before the second order. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(forward, NULL);

    while (pthread_tryjoin_np(t, NULL) == EBUSY)
        sleep_ms(1);
    join(start(backward, NULL));
    return 0;
}

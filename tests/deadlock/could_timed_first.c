/* could 2: the first is got with a deadline, the second without. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    const struct timespec until = in_ms(10000);

    must(pthread_mutex_timedlock(&first, &until));
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

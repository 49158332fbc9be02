/* could 2: one thread has a deadline, two others have none. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
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

static void *
patient(void *unused)
{
    const struct timespec until = in_ms(10000);

    lock(&second);
    must(pthread_mutex_timedlock(&first, &until));
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    join(start(patient, NULL));
    run_apart(forward, backward);
    return 0;
}

/* does cycle: two threads are stuck while a third works on. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

static void *
work(void *unused)
{
    for (;;)
        sleep_ms(1);
    return unused;
}

int
main(void)
{
    start(work, NULL);
    run_both(forward, backward);
    return 0;
}

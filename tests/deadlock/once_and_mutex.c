/* does cycle: what runs once wants a mutex whose owner waits for it. */
#include "common.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t m = MUTEX;

static void
in_once(void)
{
    meet();
    lock(&m);
}

static void *
forward(void *unused)
{
    pthread_once(&once, in_once);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    meet();
    pthread_once(&once, in_once);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

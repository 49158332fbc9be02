/* cannot: the first order is in what runs once, which the other has passed. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
set_up(void)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
}

static void *
forward(void *unused)
{
    must(pthread_once(&once, set_up));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_once(&once, set_up));
    lock(&second);
    lock(&first);
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

/* could 2: what runs once wants a lock that others hold when they ask. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
set_up(void)
{
    lock(&m); /* here */
    unlock(&m);
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
    lock(&m);
    must(pthread_once(&once, set_up)); /* here */
    unlock(&m);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

/* could 2: priority-inheriting mutexes in opposite orders. */
#include "common.h"

static pthread_mutex_t first;
static pthread_mutex_t second;

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

int
main(void)
{
    pthread_mutexattr_t a;

    must(pthread_mutexattr_init(&a));
    must(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
    must(pthread_mutex_init(&first, &a));
    must(pthread_mutex_init(&second, &a));
    run_apart(forward, backward);
    return 0;
}

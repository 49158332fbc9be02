/* could 2: a lock is made and taken by who alone has it; then again in the same
 * order, when others know it. */
#include "common.h"

static pthread_mutex_t list = MUTEX;
static pthread_mutex_t made;

static __attribute__((noinline)) void
forward(void)
{
    lock(&made);
    lock(&list); /* here */
    unlock(&list);
    unlock(&made);
}

static void *
backward(void *unused)
{
    apart();
    lock(&list);
    lock(&made); /* here */
    unlock(&made);
    unlock(&list);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(backward, NULL);
    must(pthread_mutex_init(&made, NULL));
    forward();
    forward();
    join(t);
    return 0;
}

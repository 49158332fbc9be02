/* cannot: one is joined under a lock that the other has to pass first. */
#include "common.h"

static pthread_mutex_t gate = MUTEX;
static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;

static void *
first(void *unused)
{
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    return unused;
}

static void *
second(void *unused)
{
    lock(&gate);
    unlock(&gate);
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    return unused;
}

int
main(void)
{
    lock(&gate);
    const pthread_t t2 = start(second, NULL);
    const pthread_t t1 = start(first, NULL);
    join(t1);
    unlock(&gate);
    join(t2);
    return 0;
}

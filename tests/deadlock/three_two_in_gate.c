/* cannot: a ring of three, two of which have the same gate. */
#include "common.h"

static pthread_mutex_t gate = MUTEX;
static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;

static void *
one(void *unused)
{
    lock(&gate);
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    unlock(&gate);
    return unused;
}

static void *
two(void *unused)
{
    lock(&gate);
    lock(&b);
    lock(&c);
    unlock(&c);
    unlock(&b);
    unlock(&gate);
    return unused;
}

static void *
three(void *unused)
{
    lock(&c);
    lock(&a);
    unlock(&a);
    unlock(&c);
    return unused;
}

int
main(void)
{
    const pthread_t first = start(one, NULL);
    const pthread_t second = start(two, NULL);

    join(start(three, NULL));
    join(first);
    join(second);
    return 0;
}

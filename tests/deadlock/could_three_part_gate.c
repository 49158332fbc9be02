/* could 3: a ring of three, one of which has a gate. */
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
    lock(&b); /* here */
    unlock(&b);
    unlock(&a);
    unlock(&gate);
    return unused;
}

static void *
two(void *unused)
{
    lock(&b);
    lock(&c); /* here */
    unlock(&c);
    unlock(&b);
    return unused;
}

static void *
three(void *unused)
{
    lock(&c);
    lock(&a); /* here */
    unlock(&a);
    unlock(&c);
    return unused;
}

int
main(void)
{
    const pthread_t first = start(one, NULL);
    const pthread_t second = start(two, NULL);

    apart();
    join(start(three, NULL));
    join(first);
    join(second);
    return 0;
}

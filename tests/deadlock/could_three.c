/* could 3: three mutexes in a ring. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;

static void *
one(void *unused)
{
    lock(&a);
    lock(&b); /* here */
    unlock(&b);
    unlock(&a);
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

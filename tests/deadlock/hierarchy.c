/* cannot: locks of three levels, always downwards, some left out. */
#include "common.h"

static pthread_mutex_t top = MUTEX;
static pthread_mutex_t middle = MUTEX;
static pthread_mutex_t low = MUTEX;

static void *
one(void *unused)
{
    lock(&top);
    lock(&middle);
    lock(&low);
    unlock(&low);
    unlock(&middle);
    unlock(&top);
    return unused;
}

static void *
two(void *unused)
{
    lock(&top);
    lock(&low);
    unlock(&low);
    unlock(&top);
    return unused;
}

static void *
three(void *unused)
{
    lock(&middle);
    lock(&low);
    unlock(&low);
    unlock(&middle);
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

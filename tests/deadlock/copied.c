/* cannot: a lock is a copy of another, and has its own order. */
#include "common.h"

struct both {
    pthread_mutex_t first;
    pthread_mutex_t second;
};

static struct both original = {MUTEX, MUTEX};
static struct both copy;

static void *
forward(void *unused)
{
    lock(&original.first);
    lock(&original.second);
    unlock(&original.second);
    unlock(&original.first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&copy.second);
    lock(&copy.first);
    unlock(&copy.first);
    unlock(&copy.second);
    return unused;
}

int
main(void)
{
    copy = original;
    run_both(forward, backward);
    return 0;
}

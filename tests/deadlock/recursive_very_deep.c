/* cannot: a recursive mutex is taken a hundred thousand times, and another one in
 * the same order by both threads. */
#include "common.h"

#define DEEP 100000

static pthread_mutex_t outer;
static pthread_mutex_t inner = MUTEX;

static void *
deep(void *unused)
{
    for (int i = 0; i < DEEP; i++)
        lock(&outer);
    lock(&inner);
    unlock(&inner);
    for (int i = 0; i < DEEP; i++)
        unlock(&outer);
    return unused;
}

static void *
other(void *unused)
{
    lock(&outer);
    lock(&inner);
    unlock(&inner);
    unlock(&outer);
    return unused;
}

int
main(void)
{
    init_kind(&outer, PTHREAD_MUTEX_RECURSIVE);
    run_both(deep, other);
    return 0;
}

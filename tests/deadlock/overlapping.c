/* cannot: locks that are held together only in part. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;

static void *
forward(void *unused)
{
    for (int i = 0; i < 3; i++) {
        lock(&a);
        lock(&b);
        unlock(&a);
        lock(&c);
        unlock(&b);
        unlock(&c);
    }
    return unused;
}

static void *
backward(void *unused)
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
    run_both(forward, backward);
    return 0;
}

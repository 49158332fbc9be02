/* could 2: the first lock is given up between the two that matter. */
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
        lock(&c); /* here */
        unlock(&b);
        unlock(&c);
    }
    return unused;
}

static void *
backward(void *unused)
{
    lock(&c);
    lock(&b); /* here */
    unlock(&b);
    unlock(&c);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

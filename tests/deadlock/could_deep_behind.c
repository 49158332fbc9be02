/* could 2: the same, with three others held, each in its own order. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;
static pthread_mutex_t d = MUTEX;
static pthread_mutex_t x = MUTEX;
static pthread_mutex_t y = MUTEX;

static void *
forward(void *unused)
{
    lock(&a);
    lock(&x);
    lock(&b);
    lock(&y); /* here */
    unlock(&y);
    unlock(&b);
    unlock(&x);
    unlock(&a);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&c);
    lock(&y);
    lock(&d);
    lock(&x); /* here */
    unlock(&x);
    unlock(&d);
    unlock(&y);
    unlock(&c);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

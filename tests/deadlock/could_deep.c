/* could 2: five mutexes deep, the innermost and the outermost turned. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;
static pthread_mutex_t d = MUTEX;
static pthread_mutex_t e = MUTEX;

static void *
forward(void *unused)
{
    lock(&a);
    lock(&b);
    lock(&c);
    lock(&d);
    lock(&e); /* here */
    unlock(&e);
    unlock(&d);
    unlock(&c);
    unlock(&b);
    unlock(&a);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&e);
    lock(&a); /* here */
    unlock(&a);
    unlock(&e);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

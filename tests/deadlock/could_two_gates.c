/* could 2: each has a gate, but another one. */
#include "common.h"

static pthread_mutex_t left = MUTEX;
static pthread_mutex_t right = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&left);
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    unlock(&left);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&right);
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    unlock(&right);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

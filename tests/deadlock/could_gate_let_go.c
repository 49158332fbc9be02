/* could 2: the gate is given up before the second lock. */
#include "common.h"

static pthread_mutex_t gate = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&gate);
    lock(&first);
    unlock(&gate);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&gate);
    lock(&second);
    unlock(&gate);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

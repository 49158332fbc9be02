/* could 2: only one of the two has the gate. */
#include "common.h"

static pthread_mutex_t gate = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&gate);
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    unlock(&gate);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
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

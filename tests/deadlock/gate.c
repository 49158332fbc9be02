/* cannot: both orders, but only inside a third mutex. */
#include "common.h"

static pthread_mutex_t gate = MUTEX;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    meet();
    lock(&gate);
    lock(&first);
    sleep_ms(A_WHILE_MS);
    lock(&second);
    unlock(&second);
    unlock(&first);
    unlock(&gate);
    return unused;
}

static void *
backward(void *unused)
{
    meet();
    lock(&gate);
    lock(&second);
    sleep_ms(A_WHILE_MS);
    lock(&first);
    unlock(&first);
    unlock(&second);
    unlock(&gate);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

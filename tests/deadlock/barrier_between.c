/* cannot: a barrier forces the second order to come later. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    sleep_ms(A_WHILE_MS);
    meet();
    return unused;
}

static void *
backward(void *unused)
{
    meet();
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

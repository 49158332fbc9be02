/* does cycle: two error-checking mutexes in opposite order. */
#include "common.h"

static pthread_mutex_t first;
static pthread_mutex_t second;

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    init_kind(&first, PTHREAD_MUTEX_ERRORCHECK);
    init_kind(&second, PTHREAD_MUTEX_ERRORCHECK);
    run_both(forward, backward);
    return 0;
}

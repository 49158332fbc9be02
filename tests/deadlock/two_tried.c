/* does cycle: the first mutex is got by a try, the second by a wait. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    must(pthread_mutex_trylock(&first));
    meet();
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_mutex_trylock(&second));
    meet();
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

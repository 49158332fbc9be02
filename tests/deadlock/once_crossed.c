/* does cycle: two routines that run once ask for each other. */
#include "common.h"

static pthread_once_t first = PTHREAD_ONCE_INIT;
static pthread_once_t second = PTHREAD_ONCE_INIT;

static void
nothing(void)
{
}

static void
in_first(void)
{
    meet();
    pthread_once(&second, nothing);
}

static void
in_second(void)
{
    meet();
    pthread_once(&first, nothing);
}

static void *
forward(void *unused)
{
    pthread_once(&first, in_first);
    return unused;
}

static void *
backward(void *unused)
{
    pthread_once(&second, in_second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

/* cannot: the locks are made again, but never destroyed. */
#include "common.h"

static pthread_mutex_t first;
static pthread_mutex_t second;
static _Atomic int done; /* orders nothing that a tool could see */

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    done = 1;
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    must(pthread_mutex_init(&first, NULL));
    must(pthread_mutex_init(&second, NULL));
    const pthread_t a = start(forward, NULL);
    while (!done)
        sleep_ms(1);
    must(pthread_mutex_init(&second, NULL));
    join(start(backward, NULL));
    join(a);
    return 0;
}

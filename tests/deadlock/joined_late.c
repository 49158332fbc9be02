/* cannot: a thread is joined when others have begun and ended since. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
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

static void *
idle(void *unused)
{
    sleep_ms(1);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(forward, NULL);

    while (!done)
        sleep_ms(1);
    for (int i = 0; i < 20; i++) {
        sleep_ms(2);
        join(start(idle, NULL));
    }
    join(t);
    join(start(backward, NULL));
    return 0;
}

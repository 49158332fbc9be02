/* cannot: opposite order with tries that give way. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
take(pthread_mutex_t *a, pthread_mutex_t *b)
{
    for (;;) {
        lock(a);
        if (pthread_mutex_trylock(b) == 0)
            break;
        unlock(a);
        sleep_ms(1);
    }
    unlock(b);
    unlock(a);
}

static void *
forward(void *unused)
{
    for (int i = 0; i < 100; i++)
        take(&first, &second);
    return unused;
}

static void *
backward(void *unused)
{
    for (int i = 0; i < 100; i++)
        take(&second, &first);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

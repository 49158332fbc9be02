/* cannot: 3200 threads take two locks in one order, some of them in the other
 * one, but that one comes when those before it are joined. */
#include "common.h"

#define WAVES   200
#define AT_ONCE 16

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
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
join_both(void *threads)
{
    const pthread_t *t = threads;

    join(t[0]);
    join(t[1]);
    return threads;
}

int
main(void)
{
    pthread_t t[AT_ONCE];

    for (int i = 0; i < WAVES; i++) {
        for (int k = 0; k < AT_ONCE; k++)
            t[k] = start(i % 2 == 0 ? forward : backward, NULL);
        for (int k = 0; k < AT_ONCE; k += 2)
            join(start(join_both, &t[k]));
    }
    return 0;
}

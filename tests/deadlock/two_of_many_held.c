/* does cycle: each of the two holds 200 other mutexes. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

#define MANY 200

static void
hold_many(void)
{
    pthread_mutex_t *m = calloc(MANY, sizeof(*m));

    for (int i = 0; i < MANY; i++) {
        must(pthread_mutex_init(&m[i], NULL));
        lock(&m[i]);
    }
}

static void *
forward(void *unused)
{
    lock(&first);
    hold_many();
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
    hold_many();
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

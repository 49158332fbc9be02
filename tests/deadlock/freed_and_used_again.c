/* cannot: the memory of the locks is freed, and is that of others. */
#include "common.h"

struct both {
    pthread_mutex_t first;
    pthread_mutex_t second;
};

static _Atomic int done; /* orders nothing that a tool could see */

static struct both *
make(void)
{
    const struct both fresh = {MUTEX, MUTEX};
    struct both *b = malloc(sizeof(*b));

    *b = fresh;
    return b;
}

static void *
forward(void *arg)
{
    struct both *b = arg;

    lock(&b->first);
    lock(&b->second);
    unlock(&b->second);
    unlock(&b->first);
    done = 1;
    return NULL;
}

static void *
backward(void *arg)
{
    struct both *b = arg;

    lock(&b->second);
    lock(&b->first);
    unlock(&b->first);
    unlock(&b->second);
    return NULL;
}

int
main(void)
{
    struct both *b = make();
    const pthread_t a = start(forward, b);

    while (!done)
        sleep_ms(1);
    free(b);
    b = make();
    join(start(backward, b));
    join(a);
    free(b);
    return 0;
}

/* cannot: memory with locks in it is moved or cut off by realloc, and what is left
 * behind is used again. */
#include "common.h"

#define BYTES 4000

static _Atomic int done; /* orders nothing that a tool could see */

static void *
forward(void *arg)
{
    pthread_mutex_t *m = arg;

    lock(&m[0]);
    lock(&m[1]);
    unlock(&m[1]);
    unlock(&m[0]);
    done = 1;
    return NULL;
}

static void *
backward(void *arg)
{
    pthread_mutex_t *m = arg;

    lock(&m[1]);
    lock(&m[0]);
    unlock(&m[0]);
    unlock(&m[1]);
    done = 1;
    return NULL;
}

static void
run(void *(*routine)(void *), pthread_mutex_t *at)
{
    done = 0;
    memset(at, 0, 2 * sizeof(*at));
    must(pthread_detach(start(routine, at)));
    while (!done)
        sleep_ms(1);
}

static char *
allocate(size_t bytes)
{
    char *p = malloc(bytes);

    must(p == NULL ? ENOMEM : 0);
    return p;
}

/* Take memory until it comes from there; so it does at once, mostly. */
static char *
allocate_at(const char *place, size_t bytes)
{
    for (int i = 0; i < 100; i++) {
        char *p = allocate(bytes);
        if (p <= place && place + 2 * sizeof(pthread_mutex_t) <= p + bytes)
            return p;
    }
    return NULL;
}

static void
reuse(const char *place, size_t bytes)
{
    if (allocate_at(place, bytes) != NULL)
        run(backward, (pthread_mutex_t *)place);
}

int
main(void)
{
    char *moved = allocate(BYTES);
    char *behind = allocate(BYTES); /* so that the first has to move */

    run(forward, (pthread_mutex_t *)moved);
    must(realloc(moved, 100 * BYTES) == NULL ? ENOMEM : 0);
    reuse(moved, BYTES);

    char *cut = behind + BYTES / 2 / 64 * 64;
    run(forward, (pthread_mutex_t *)cut);
    must(realloc(behind, 64) == NULL ? ENOMEM : 0);
    reuse(cut, BYTES / 2 + 512);
    return 0;
}

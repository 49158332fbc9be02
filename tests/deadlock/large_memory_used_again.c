/* cannot: large pieces of memory with two locks somewhere in them are given back,
 * and used again. */
#include "common.h"

#define SMALL ((size_t)1 << 20)
#define LARGE ((size_t)16 << 20)

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
run(void *(*routine)(void *), char *at)
{
    done = 0;
    must(pthread_detach(start(routine, at)));
    while (!done)
        sleep_ms(1);
}

static char *
map_at(void *where)
{
    void *p =
        mmap(where, LARGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);

    must(p == MAP_FAILED ? errno : 0);
    return p;
}

static void
unmap_and_map(size_t at)
{
    char *p = map_at(NULL);

    run(forward, p + at);
    munmap(p, LARGE);
    must(map_at(p) == p ? 0 : EINVAL);
    run(backward, p + at);
    munmap(p, LARGE);
}

static void
free_and_allocate(size_t at)
{
    char *p = calloc(1, SMALL);

    must(p == NULL ? ENOMEM : 0);
    run(forward, p + at);
    free(p);
    p = calloc(1, SMALL); /* mostly at the same place */
    must(p == NULL ? ENOMEM : 0);
    run(backward, p + at);
    free(p);
}

int
main(void)
{
    const size_t both = 2 * sizeof(pthread_mutex_t);

    unmap_and_map(0);
    unmap_and_map(LARGE / 2 + 4096 - 64);
    unmap_and_map(LARGE - both);
    free_and_allocate(0);
    free_and_allocate(SMALL / 3 / 64 * 64);
    free_and_allocate(SMALL - both);
    return 0;
}

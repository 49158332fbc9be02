/* cannot: the memory of the locks is unmapped, and mapped again. */
#include "common.h"

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
    return NULL;
}

static pthread_mutex_t *
map_at(void *where)
{
    void *p =
        mmap(where, 4096, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);

    must(p == MAP_FAILED ? errno : 0);
    return p;
}

int
main(void)
{
    pthread_mutex_t *m = map_at(NULL);
    const pthread_t a = start(forward, m);

    while (!done)
        sleep_ms(1);
    munmap(m, 4096);
    join(start(backward, map_at(m)));
    join(a);
    return 0;
}

/* cannot: a tree whose locks are taken from the root to the leaves. */
#include "common.h"

#define N 31

static pthread_mutex_t m[N];

static void *
walk(void *arg)
{
    unsigned seed = (unsigned)(long)arg;

    for (int round = 0; round < 200; round++) {
        int at = 0;
        lock(&m[at]);
        for (;;) {
            const int next = 2 * at + 1 + rand_r(&seed) % 2;
            if (next >= N)
                break;
            lock(&m[next]);
            unlock(&m[at]);
            at = next;
        }
        unlock(&m[at]);
    }
    return NULL;
}

int
main(void)
{
    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&m[i], NULL));
    const pthread_t t = start(walk, (void *)1L);
    join(start(walk, (void *)2L));
    join(t);
    return 0;
}

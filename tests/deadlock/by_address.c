/* cannot: two locks are always taken in the order of their addresses. */
#include "common.h"

#define N 16

static pthread_mutex_t m[N];

static void
take_two(unsigned a, unsigned b)
{
    const unsigned low = a < b ? a : b;
    const unsigned high = a < b ? b : a;

    lock(&m[low]);
    lock(&m[high]);
    unlock(&m[high]);
    unlock(&m[low]);
}

static void *
work(void *arg)
{
    unsigned seed = (unsigned)(long)arg;

    for (int i = 0; i < 5000; i++) {
        const unsigned a = (unsigned)rand_r(&seed) % N;
        take_two(a, (a + 1 + (unsigned)rand_r(&seed) % (N - 1)) % N);
    }
    return NULL;
}

int
main(void)
{
    pthread_t t[4];

    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&m[i], NULL));
    for (long i = 0; i < 4; i++)
        t[i] = start(work, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        join(t[i]);
    return 0;
}

/* could 4: four philosophers who dine one after the other. */
#include "common.h"

#define N 4

static pthread_mutex_t fork_[N];

static void *
philosopher(void *arg)
{
    const long i = (long)arg;

    lock(&fork_[i]);
    lock(&fork_[(i + 1) % N]); /* here */
    unlock(&fork_[(i + 1) % N]);
    unlock(&fork_[i]);
    return NULL;
}

int
main(void)
{
    pthread_t t[N];

    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&fork_[i], NULL));
    for (long i = 0; i < N; i++) {
        t[i] = start(philosopher, (void *)i);
        apart();
    }
    for (int i = 0; i < N; i++)
        join(t[i]);
    return 0;
}

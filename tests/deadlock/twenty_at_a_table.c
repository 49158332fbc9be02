/* cannot: twenty philosophers, the last of whom takes his forks the other way
 * round. */
#include "common.h"

#define N 20

static pthread_mutex_t fork_[N];

static void *
philosopher(void *arg)
{
    const long i = (long)arg;
    const long a = i < N - 1 ? i : 0;
    const long b = i < N - 1 ? i + 1 : i;

    for (int k = 0; k < 50; k++) {
        lock(&fork_[a]);
        lock(&fork_[b]);
        unlock(&fork_[b]);
        unlock(&fork_[a]);
    }
    return NULL;
}

int
main(void)
{
    pthread_t t[N];

    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&fork_[i], NULL));
    for (long i = 0; i < N; i++)
        t[i] = start(philosopher, (void *)i);
    for (int i = 0; i < N; i++)
        join(t[i]);
    return 0;
}

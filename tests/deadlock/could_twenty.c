/* could 20: twenty philosophers, with as little stack as a thread can have. */
#include "common.h"

#include <limits.h>

#define N 20

static pthread_mutex_t fork_[N];

static void *
philosopher(void *arg)
{
    const long i = (long)arg;

    lock(&fork_[i]);
    lock(&fork_[(i + 1) % N]); /* here */
    unlock(&fork_[(i + 1) % N]);
    unlock(&fork_[i]);
    meet();
    return NULL;
}

int
main(void)
{
    pthread_attr_t small;
    pthread_t t[N];

    must(pthread_attr_init(&small));
    must(pthread_attr_setstacksize(&small, (size_t)PTHREAD_STACK_MIN));
    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&fork_[i], NULL));
    for (long i = 0; i < N; i++) {
        must(pthread_create(&t[i], &small, philosopher, (void *)i));
        sleep_ms(10);
    }
    for (int i = 0; i < N; i++)
        join(t[i]);
    return 0;
}

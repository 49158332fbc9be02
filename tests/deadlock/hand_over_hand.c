/* cannot: a list whose locks are taken hand over hand. */
#include "common.h"

#define N 20

static struct node {
    pthread_mutex_t lock;
    int value;
} list[N];

static void *
walk(void *unused)
{
    for (int round = 0; round < 50; round++) {
        lock(&list[0].lock);
        for (int i = 1; i < N; i++) {
            lock(&list[i].lock);
            list[i].value++;
            unlock(&list[i - 1].lock);
        }
        unlock(&list[N - 1].lock);
    }
    return unused;
}

int
main(void)
{
    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&list[i].lock, NULL));
    run_both(walk, walk);
    return 0;
}

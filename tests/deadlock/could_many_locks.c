/* could 2: the two among 300 locks that are nested in order. */
#include "common.h"

#define N 300

static pthread_mutex_t m[N];

static void *
forward(void *unused)
{
    for (int i = 0; i + 1 < N; i++) {
        lock(&m[i]);
        lock(&m[i + 1]); /* here */
        unlock(&m[i + 1]);
        unlock(&m[i]);
    }
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m[201]);
    lock(&m[200]); /* here */
    unlock(&m[200]);
    unlock(&m[201]);
    return unused;
}

int
main(void)
{
    for (int i = 0; i < N; i++)
        must(pthread_mutex_init(&m[i], NULL));
    run_apart(forward, backward);
    return 0;
}

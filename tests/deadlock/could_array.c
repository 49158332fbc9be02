/* could 2: locks in an array, taken by their numbers. */
#include "common.h"

static pthread_mutex_t m[100];

static void *
take(void *arg)
{
    const int *of = arg;

    lock(&m[of[0]]);
    lock(&m[of[1]]); /* here */
    unlock(&m[of[1]]);
    unlock(&m[of[0]]);
    return NULL;
}

int
main(void)
{
    static int order[2][2] = {{17, 71}, {71, 17}};

    for (int i = 0; i < 100; i++)
        must(pthread_mutex_init(&m[i], NULL));
    const pthread_t a = start(take, order[0]);
    apart();
    join(start(take, order[1]));
    join(a);
    return 0;
}

/* cannot: 2000 threads, one after the other, and 100 at once. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
routine(void *unused)
{
    lock(&m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    pthread_t t[100];

    for (int i = 0; i < 2000; i++)
        join(start(routine, NULL));
    for (int i = 0; i < 100; i++)
        t[i] = start(routine, NULL);
    for (int i = 0; i < 100; i++)
        join(t[i]);
    return 0;
}

/* cannot: locks in frames of threads that end lie where others had theirs. */
#include "common.h"

static _Atomic int ended;

static void *
helps(void *arg)
{
    pthread_mutex_t *m = arg;

    lock(&m[ended % 2]);
    lock(&m[1 - ended % 2]);
    unlock(&m[1 - ended % 2]);
    unlock(&m[ended % 2]);
    return NULL;
}

static void *
owns(void *unused)
{
    pthread_mutex_t m[2] = {MUTEX, MUTEX};

    join(start(helps, m));
    ended++;
    return unused;
}

int
main(void)
{
    for (int i = 0; i < 4; i++) {
        pthread_t t;
        must(pthread_create(&t, NULL, owns, NULL));
        must(pthread_detach(t));
        while (ended <= i)
            sleep_ms(1);
        sleep_ms(5);
    }
    return 0;
}

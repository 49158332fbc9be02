/* cannot: the owner of a robust mutex ends; the next one is told. */
#include "common.h"

static pthread_mutex_t m;

static void *
keep(void *unused)
{
    lock(&m);
    meet();
    sleep_ms(A_WHILE_MS);
    return unused;
}

int
main(void)
{
    pthread_mutexattr_t a;

    must(pthread_mutexattr_init(&a));
    must(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
    must(pthread_mutex_init(&m, &a));
    const pthread_t t = start(keep, NULL);
    meet();
    if (pthread_mutex_lock(&m) != EOWNERDEAD)
        return 1;
    must(pthread_mutex_consistent(&m));
    unlock(&m);
    join(t);
    return 0;
}

/* cannot: a semaphore that is free is a place of cancellation, too. */
#include "common.h"

static sem_t s;

static void *
routine(void *unused)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    meet();
    meet();
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    sem_wait(&s);
    return unused;
}

int
main(void)
{
    void *result;
    int left = 0;

    sem_init(&s, 0, 1);
    const pthread_t t = start(routine, NULL);
    meet();
    must(pthread_cancel(t));
    meet();
    must(pthread_join(t, &result));
    sem_getvalue(&s, &left);
    return result == PTHREAD_CANCELED && left == 1 ? 0 : 1;
}

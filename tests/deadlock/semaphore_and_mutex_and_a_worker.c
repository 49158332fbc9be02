/* does cycle --doubt=1: who has the semaphore wants the mutex, and the other
 * way round; a third thread runs on. */
#include "common.h"

static sem_t s;
static pthread_mutex_t m = MUTEX;

static void *
forward(void *unused)
{
    sem_wait(&s);
    meet();
    lock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    meet();
    sem_wait(&s);
    return unused;
}

static void *
worker(void *unused)
{
    for (;;)
        sleep_ms(10);
    return unused;
}

int
main(void)
{
    sem_init(&s, 0, 1);
    start(worker, NULL);
    run_both(forward, backward);
    return 0;
}

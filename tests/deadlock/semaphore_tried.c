/* cannot: the semaphore between is taken by tries. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static sem_t s;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    must(sem_post(&s));
    return unused;
}

static void *
backward(void *unused)
{
    while (sem_trywait(&s) != 0)
        sleep_ms(1);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    must(sem_init(&s, 0, 0));
    run_both(forward, backward);
    return 0;
}

/* cannot: a semaphore of two, in both orders with a mutex. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static sem_t s;

static void *
forward(void *unused)
{
    lock(&m);
    must(sem_wait(&s));
    must(sem_post(&s));
    unlock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    must(sem_wait(&s));
    lock(&m);
    unlock(&m);
    must(sem_post(&s));
    return unused;
}

int
main(void)
{
    must(sem_init(&s, 0, 2));
    run_both(forward, backward);
    return 0;
}

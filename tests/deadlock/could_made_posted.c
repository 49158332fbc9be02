/* could 2: a lock is made, and a thread that knows it is let go on by a
 * semaphore. */
#include "common.h"

static pthread_mutex_t list = MUTEX;
static pthread_mutex_t made;
static sem_t ready;

static __attribute__((noinline)) void
forward(void)
{
    lock(&made);
    lock(&list); /* here */
    unlock(&list);
    unlock(&made);
}

static void *
backward(void *unused)
{
    must(sem_wait(&ready));
    lock(&list);
    lock(&made); /* here */
    unlock(&made);
    unlock(&list);
    return unused;
}

int
main(void)
{
    must(sem_init(&ready, 0, 0));
    const pthread_t t = start(backward, NULL);
    must(pthread_mutex_init(&made, NULL));
    must(sem_post(&ready));
    forward();
    join(t);
    return 0;
}

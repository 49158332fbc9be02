/* could 2: a mutex, and a semaphore that is used as one. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static sem_t second;

static void *
forward(void *unused)
{
    lock(&first);
    must(sem_wait(&second)); /* here */
    must(sem_post(&second));
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    must(sem_wait(&second));
    lock(&first); /* here */
    unlock(&first);
    must(sem_post(&second));
    return unused;
}

int
main(void)
{
    must(sem_init(&second, 0, 1));
    run_apart(forward, backward);
    return 0;
}

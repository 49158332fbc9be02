/* cannot: the gate is a semaphore of one that is marked for other processes. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static sem_t gate;

static void *
forward(void *unused)
{
    must(sem_wait(&gate));
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    must(sem_post(&gate));
    return unused;
}

static void *
backward(void *unused)
{
    must(sem_wait(&gate));
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    must(sem_post(&gate));
    return unused;
}

int
main(void)
{
    must(sem_init(&gate, 1, 1));
    run_both(forward, backward);
    return 0;
}

/* cannot: one posts a semaphore of zero, marked for other processes, when it is
 * done, and the other takes it before it begins. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static sem_t done;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    must(sem_post(&done));
    return unused;
}

static void *
backward(void *unused)
{
    must(sem_wait(&done));
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    must(sem_init(&done, 1, 0));
    run_both(forward, backward);
    must(sem_destroy(&done));
    return 0;
}

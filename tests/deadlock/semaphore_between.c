/* cannot: a semaphore forces the second order to come later. */
#include "common.h"

static sem_t done;
static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    sleep_ms(A_WHILE_MS);
    sem_post(&done);
    return unused;
}

static void *
backward(void *unused)
{
    sem_wait(&done);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    sem_init(&done, 0, 0);
    run_both(forward, backward);
    return 0;
}

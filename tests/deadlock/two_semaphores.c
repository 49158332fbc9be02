/* does cycle: two semaphores of one, taken in opposite order. */
#include "common.h"

static sem_t first;
static sem_t second;

static void *
forward(void *unused)
{
    sem_wait(&first);
    meet();
    sem_wait(&second);
    sem_post(&second);
    sem_post(&first);
    return unused;
}

static void *
backward(void *unused)
{
    sem_wait(&second);
    meet();
    sem_wait(&first);
    sem_post(&first);
    sem_post(&second);
    return unused;
}

int
main(void)
{
    sem_init(&first, 0, 1);
    sem_init(&second, 0, 1);
    run_both(forward, backward);
    return 0;
}

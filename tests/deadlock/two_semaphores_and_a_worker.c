/* does cycle --doubt=1: two semaphores of one, taken in opposite order; a
 * third thread that has nothing to do with them runs on. */
#include "common.h"

static sem_t first;
static sem_t second;

static void *
forward(void *unused)
{
    sem_wait(&first);
    meet();
    sem_wait(&second);
    return unused;
}

static void *
backward(void *unused)
{
    sem_wait(&second);
    meet();
    sem_wait(&first);
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
    sem_init(&first, 0, 1);
    sem_init(&second, 0, 1);
    start(worker, NULL);
    run_both(forward, backward);
    return 0;
}

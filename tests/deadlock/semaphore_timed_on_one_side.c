/* cannot: one of two threads that are crossed on two semaphores gives up; a third
 * runs meanwhile. */
#include "common.h"

static sem_t first;
static sem_t second;

static void *
forward(void *unused)
{
    const struct timespec t = in_ms(4L * A_WHILE_MS);

    sem_wait(&first);
    meet();
    must(sem_timedwait(&second, &t) == 0);
    sem_post(&first);
    return unused;
}

static void *
backward(void *unused)
{
    sem_wait(&second);
    meet();
    sem_wait(&first);
    sem_post(&second);
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

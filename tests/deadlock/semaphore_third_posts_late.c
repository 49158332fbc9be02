/* possible: two threads are crossed on two semaphores, until a third posts one of
 * them, which it has never done before. */
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
helper(void *unused)
{
    sleep_ms(5L * A_WHILE_MS);
    sem_post(&first);
    return unused;
}

int
main(void)
{
    sem_init(&first, 0, 1);
    sem_init(&second, 0, 1);
    const pthread_t t = start(helper, NULL);
    run_both(forward, backward);
    join(t);
    return 0;
}

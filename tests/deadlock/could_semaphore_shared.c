/* could 2: two semaphores of one, marked for other processes, are taken in both
 * orders. */
#include "common.h"

static sem_t first;
static sem_t second;

static void *
forward(void *unused)
{
    must(sem_wait(&first));
    must(sem_wait(&second)); /* here */
    must(sem_post(&second));
    must(sem_post(&first));
    return unused;
}

static void *
backward(void *unused)
{
    must(sem_wait(&second));
    must(sem_wait(&first)); /* here */
    must(sem_post(&first));
    must(sem_post(&second));
    return unused;
}

int
main(void)
{
    must(sem_init(&first, 1, 1));
    must(sem_init(&second, 1, 1));
    run_apart(forward, backward);
    return 0;
}

/* does cycle: a handler of a signal waited meanwhile, and the threads are stuck
 * all the same. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static sem_t s;
static sem_t handled;

static void
handle(int unused)
{
    (void)unused;
    while (sem_wait(&s) != 0)
        continue;
    sem_post(&handled);
}

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    lock(&second);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    sem_wait(&handled);
    lock(&first);
    return unused;
}

int
main(void)
{
    sem_init(&s, 0, 0);
    sem_init(&handled, 0, 0);
    signal(SIGUSR1, handle);
    const pthread_t t = start(forward, NULL);
    start(backward, NULL);
    sleep_ms(A_WHILE_MS);
    pthread_kill(t, SIGUSR1);
    sleep_ms(A_WHILE_MS);
    sem_post(&s);
    join(t);
    return 0;
}

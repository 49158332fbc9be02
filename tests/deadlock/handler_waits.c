/* cannot: a handler takes a semaphore while its thread waits for a mutex. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static sem_t s;

static void
handle(int unused)
{
    (void)unused;
    while (sem_wait(&s) != 0)
        continue;
}

static void *
wait_for_it(void *unused)
{
    meet();
    lock(&m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    sem_init(&s, 0, 0);
    signal(SIGUSR1, handle);
    lock(&m);
    const pthread_t t = start(wait_for_it, NULL);
    meet();
    sleep_ms(A_WHILE_MS);
    pthread_kill(t, SIGUSR1);
    sleep_ms(A_WHILE_MS);
    sem_post(&s);
    unlock(&m);
    join(t);
    return 0;
}

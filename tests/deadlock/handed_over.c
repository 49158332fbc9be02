/* cannot: one thread locks a mutex, another unlocks it, a thousand times. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_mutex_t other = MUTEX;
static sem_t taken;
static sem_t given;

static void *
take(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        lock(&m);
        sem_post(&taken);
        sem_wait(&given);
    }
    lock(&other);
    sem_post(&taken);
    sem_wait(&given);
    unlock(&other);
    return unused;
}

static void *
give(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        sem_wait(&taken);
        unlock(&m);
        sem_post(&given);
    }
    sem_wait(&taken);
    lock(&m); /* on the list of the other thread it still is */
    sleep_ms(A_WHILE_MS);
    sem_post(&given);
    lock(&other);
    unlock(&other);
    unlock(&m);
    return unused;
}

int
main(void)
{
    sem_init(&taken, 0, 0);
    sem_init(&given, 0, 0);
    run_both(take, give);
    return 0;
}

/* cannot: a semaphore of one and a mutex are taken in both orders, but a third
 * thread posts the semaphore once more, whatever the two do. */
#include <stdatomic.h>

#include "common.h"

static sem_t semaphore;
static pthread_mutex_t mutex = MUTEX;
static atomic_int both_done;

static void *
forward(void *unused)
{
    must(sem_wait(&semaphore));
    must(pthread_mutex_lock(&mutex));
    must(pthread_mutex_unlock(&mutex));
    must(sem_post(&semaphore));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_mutex_lock(&mutex));
    must(sem_wait(&semaphore));
    must(sem_post(&semaphore));
    must(pthread_mutex_unlock(&mutex));
    atomic_store(&both_done, 1);
    return unused;
}

static void *
post_once_more(void *unused)
{
    for (int i = 0; i < 1000 && atomic_load(&both_done) == 0; i++)
        sleep_ms(1);
    must(sem_post(&semaphore));
    return unused;
}

int
main(void)
{
    must(sem_init(&semaphore, 0, 1));
    const pthread_t t = start(post_once_more, NULL);
    run_apart(forward, backward);
    join(t);
    return 0;
}

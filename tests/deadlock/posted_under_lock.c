/* cannot: who is told by a semaphore passes the lock under which that was; a third
 * is started behind it. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static sem_t told;

static void *
third(void *unused)
{
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    return unused;
}

static void *
second(void *unused)
{
    must(sem_wait(&told));
    lock(&a);
    unlock(&a);
    join(start(third, NULL));
    return unused;
}

int
main(void)
{
    must(sem_init(&told, 0, 0));
    const pthread_t t = start(second, NULL);
    lock(&a);
    must(sem_post(&told));
    lock(&b);
    unlock(&b);
    unlock(&a);
    join(t);
    return 0;
}

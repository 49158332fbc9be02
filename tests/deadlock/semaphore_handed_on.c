/* cannot: a semaphore of one is taken by two and posted by a third. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static sem_t s;

static void *
forward(void *unused)
{
    must(sem_wait(&s));
    lock(&m);
    unlock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    must(sem_wait(&s));
    unlock(&m);
    return unused;
}

static void *
posts(void *unused)
{
    must(sem_post(&s));
    return unused;
}

int
main(void)
{
    must(sem_init(&s, 0, 1));
    const pthread_t t = start(posts, NULL);
    run_both(forward, backward);
    join(t);
    return 0;
}

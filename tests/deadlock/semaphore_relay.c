/* cannot: three threads, each woken by a semaphore of the one before. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static pthread_mutex_t c = MUTEX;
static sem_t s[2];

static void *
one(void *unused)
{
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    must(sem_post(&s[0]));
    return unused;
}

static void *
two(void *unused)
{
    must(sem_wait(&s[0]));
    lock(&b);
    lock(&c);
    unlock(&c);
    unlock(&b);
    must(sem_post(&s[1]));
    return unused;
}

static void *
three(void *unused)
{
    must(sem_wait(&s[1]));
    lock(&c);
    lock(&a);
    unlock(&a);
    unlock(&c);
    return unused;
}

int
main(void)
{
    must(sem_init(&s[0], 0, 0));
    must(sem_init(&s[1], 0, 0));
    const pthread_t first = start(one, NULL);
    const pthread_t second = start(two, NULL);
    join(start(three, NULL));
    join(first);
    join(second);
    return 0;
}

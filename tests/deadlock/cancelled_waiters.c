/* cannot: who waits for a condition, a semaphore and a join is cancelled. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s;

static void
give_back(void *unused)
{
    (void)unused;
    unlock(&m);
}

static void *
wait_cond(void *unused)
{
    lock(&m);
    pthread_cleanup_push(give_back, NULL);
    for (;;)
        pthread_cond_wait(&c, &m);
    pthread_cleanup_pop(1);
    return unused;
}

static void *
wait_sem(void *unused)
{
    sem_wait(&s);
    return unused;
}

static void *
wait_thread(void *arg)
{
    pthread_join(*(pthread_t *)arg, NULL);
    return NULL;
}

int
main(void)
{
    sem_init(&s, 0, 0);
    pthread_t a = start(wait_cond, NULL);
    const pthread_t b = start(wait_sem, NULL);
    const pthread_t w = start(wait_thread, &a);
    sleep_ms(A_WHILE_MS);
    must(pthread_cancel(w));
    join(w);
    must(pthread_cancel(b));
    join(b);
    must(pthread_cancel(a));
    join(a);
    lock(&m);
    unlock(&m);
    return 0;
}

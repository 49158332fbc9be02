/* cannot: no call that has nothing to say changes errno. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static sem_t later;

static void *
hold(void *unused)
{
    lock(&m);
    meet();
    sleep_ms(A_WHILE_MS);
    unlock(&m);
    sleep_ms(A_WHILE_MS);
    sem_post(&later);
    return unused;
}

int
main(void)
{
    sem_t s;

    sem_init(&s, 0, 1);
    sem_init(&later, 0, 0);
    const pthread_t t = start(hold, NULL);
    meet();
    errno = 99;
    lock(&m);
    unlock(&m);
    sem_wait(&s);
    sem_wait(&later);
    if (errno != 99)
        return 1;
    if (sem_trywait(&s) == 0 || errno != EAGAIN)
        return 2;
    join(t);
    return 0;
}

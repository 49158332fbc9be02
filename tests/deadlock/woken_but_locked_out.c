/* does cycle: who was signalled wants the mutex, and its owner joins him. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int waits;

static void *
wait_for_it(void *unused)
{
    lock(&m);
    waits = 1;
    pthread_cond_wait(&c, &m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(wait_for_it, NULL);

    lock(&m);
    while (!waits) {
        unlock(&m);
        sleep_ms(1);
        lock(&m);
    }
    pthread_cond_signal(&c);
    join(t);
    return 0;
}

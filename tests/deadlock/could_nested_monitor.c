/* could 2: who waits keeps an outer mutex that the signaller takes. */
#include "common.h"

static pthread_mutex_t outer = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready;

static void *
waits(void *unused)
{
    lock(&outer);
    lock(&m);
    while (!ready)
        pthread_cond_wait(&c, &m); /* here */
    unlock(&m);
    unlock(&outer);
    return unused;
}

static void *
signals(void *unused)
{
    lock(&outer); /* here */
    unlock(&outer);
    apart();
    apart();
    lock(&m);
    ready = 1;
    pthread_cond_signal(&c);
    unlock(&m);
    return unused;
}

int
main(void)
{
    run_apart(signals, waits);
    return 0;
}

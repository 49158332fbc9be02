/* does asleep: who waits for a condition keeps a mutex that the signaller needs. */
#include "common.h"

static pthread_mutex_t outer = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void *
wait_inside(void *unused)
{
    lock(&outer);
    lock(&m);
    meet();
    pthread_cond_wait(&c, &m);
    unlock(&m);
    unlock(&outer);
    return unused;
}

static void *
tell(void *unused)
{
    meet();
    lock(&outer);
    pthread_cond_signal(&c);
    unlock(&outer);
    return unused;
}

int
main(void)
{
    run_both(wait_inside, tell);
    return 0;
}

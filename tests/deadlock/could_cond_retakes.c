/* could 2: a wait takes its mutex back while another is held. */
#include "common.h"

static pthread_mutex_t outer = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void *
waits(void *unused)
{
    const struct timespec until = in_ms(10);

    lock(&m);
    lock(&outer);
    pthread_cond_timedwait(&c, &m, &until); /* here */
    unlock(&outer);
    unlock(&m);
    return unused;
}

static void *
other(void *unused)
{
    lock(&m);
    lock(&outer); /* here */
    unlock(&outer);
    unlock(&m);
    return unused;
}

int
main(void)
{
    run_apart(waits, other);
    return 0;
}

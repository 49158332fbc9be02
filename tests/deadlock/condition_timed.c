/* cannot: the wait for the condition has a deadline, and is repeated. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int done;

static void *
forward(void *unused)
{
    apart();
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    lock(&m);
    done = 1;
    pthread_cond_signal(&c);
    unlock(&m);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&m);
    while (!done) {
        const struct timespec until = in_ms(5);
        pthread_cond_timedwait(&c, &m, &until);
    }
    unlock(&m);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}

/* could 2: a thread that is cancelled while it waits for a condition has its
 * mutex again, and takes another in the handler. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_mutex_t other = MUTEX;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void
clean(void *unused)
{
    (void)unused;
    lock(&other); /* here */
    unlock(&other);
    unlock(&m);
}

static void *
waits(void *unused)
{
    lock(&m);
    pthread_cleanup_push(clean, NULL);
    for (;;)
        pthread_cond_wait(&never, &m);
    pthread_cleanup_pop(1);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&other);
    lock(&m); /* here */
    unlock(&m);
    unlock(&other);
    return unused;
}

int
main(void)
{
    const pthread_t a = start(waits, NULL);
    const pthread_t b = start(backward, NULL);
    apart();
    must(pthread_cancel(a));
    join(a);
    join(b);
    return 0;
}

/* could 2: what runs once lies in memory that is freed; the next one there orders
 * nobody behind who ran the first. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_once_t *once;

static void
make(void)
{
}

static void
renew(void)
{
    static const pthread_once_t fresh = PTHREAD_ONCE_INIT;

    once = malloc(sizeof(*once));
    *once = fresh;
}

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    must(pthread_once(once, make));
    return unused;
}

static void *
runs(void *unused)
{
    must(pthread_once(once, make));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_once(once, make));
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    renew();
    const pthread_t a = start(forward, NULL);
    apart();
    free(once);
    renew();
    const pthread_t b = start(runs, NULL);
    apart();
    const pthread_t c = start(backward, NULL);

    join(a);
    join(b);
    join(c);
    free(once);
    return 0;
}

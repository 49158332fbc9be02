/* cannot: who is started under a lock passes it first, so what the starter did
 * with it in hand is over by then. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;

static void *
work(void *unused)
{
    lock(&a);
    unlock(&a);
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    return unused;
}

int
main(void)
{
    lock(&a);
    const pthread_t t = start(work, NULL);
    lock(&b);
    unlock(&b);
    unlock(&a);
    join(t);
    return 0;
}

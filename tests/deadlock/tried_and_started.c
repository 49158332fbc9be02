/* cannot: who is started under a lock passes it first, as in started_under_lock;
 * but the starter has got it by a try. */
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
    must(pthread_mutex_trylock(&a));
    const pthread_t t = start(work, NULL);
    lock(&b);
    unlock(&b);
    unlock(&a);
    join(t);
    return 0;
}

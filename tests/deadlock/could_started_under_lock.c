/* could 2: who is started under a lock does not pass it before it takes the
 * other. */
#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;

static void *
work(void *unused)
{
    apart();
    lock(&b);
    lock(&a); /* here */
    unlock(&a);
    unlock(&b);
    return unused;
}

int
main(void)
{
    lock(&a);
    const pthread_t t = start(work, NULL);
    lock(&b); /* here */
    unlock(&b);
    unlock(&a);
    join(t);
    return 0;
}

/* could 2: a thread is joined by the owner of the mutex it takes. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
worker(void *unused)
{
    lock(&m); /* here */
    unlock(&m);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(worker, NULL);

    apart();
    lock(&m);
    join(t); /* here */
    unlock(&m);
    return 0;
}

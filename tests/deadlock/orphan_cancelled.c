/* does orphaned: a thread was cancelled while it had a mutex. */
#include "common.h"

static pthread_mutex_t m = MUTEX;

static void *
keep(void *unused)
{
    lock(&m);
    meet();
    sleep_ms(60000);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(keep, NULL);

    meet();
    must(pthread_cancel(t));
    join(t);
    lock(&m);
    return 0;
}

/* cannot: who joins a thread is cancelled, and another one joins it: what the
 * thread did is before what that one does. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_t worker;
static _Atomic int go;

static void *
forward(void *unused)
{
    while (go == 0)
        sleep_ms(1);
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
joins(void *unused)
{
    pthread_join(worker, NULL);
    return unused;
}

int
main(void)
{
    worker = start(forward, NULL);
    const pthread_t t = start(joins, NULL);
    apart();
    must(pthread_cancel(t));
    join(t);
    go = 1;
    join(worker);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return 0;
}

/* does self: the destructor of a thread locks a mutex twice. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_key_t key;

static void
destroy(void *unused)
{
    (void)unused;
    lock(&m);
    lock(&m);
}

static void *
routine(void *arg)
{
    must(pthread_setspecific(key, arg));
    return NULL;
}

int
main(void)
{
    must(pthread_key_create(&key, destroy));
    join(start(routine, &m));
    return 0;
}

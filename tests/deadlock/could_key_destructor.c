/* could 2: the destructor of a key takes the locks in the other order. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_key_t key;

static void
destroy(void *unused)
{
    (void)unused;
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
}

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_setspecific(key, &key));
    return unused;
}

int
main(void)
{
    must(pthread_key_create(&key, destroy));
    run_apart(forward, backward);
    return 0;
}

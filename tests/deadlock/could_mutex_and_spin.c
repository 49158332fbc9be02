/* could 2: a mutex and a spin lock in opposite orders. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_spinlock_t second;

static void *
forward(void *unused)
{
    lock(&first);
    must(pthread_spin_lock(&second)); /* here */
    must(pthread_spin_unlock(&second));
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_spin_lock(&second));
    lock(&first); /* here */
    unlock(&first);
    must(pthread_spin_unlock(&second));
    return unused;
}

int
main(void)
{
    must(pthread_spin_init(&second, 0));
    run_apart(forward, backward);
    return 0;
}

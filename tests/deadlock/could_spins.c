/* could 2: spin locks in opposite orders. */
#include "common.h"

static pthread_spinlock_t first;
static pthread_spinlock_t second;

static void *
forward(void *unused)
{
    must(pthread_spin_lock(&first));
    must(pthread_spin_lock(&second)); /* here */
    must(pthread_spin_unlock(&second));
    must(pthread_spin_unlock(&first));
    return unused;
}

static void *
backward(void *unused)
{
    must(pthread_spin_lock(&second));
    must(pthread_spin_lock(&first)); /* here */
    must(pthread_spin_unlock(&first));
    must(pthread_spin_unlock(&second));
    return unused;
}

int
main(void)
{
    must(pthread_spin_init(&first, 0));
    must(pthread_spin_init(&second, 0));
    run_apart(forward, backward);
    return 0;
}

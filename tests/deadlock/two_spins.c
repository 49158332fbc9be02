/* does cycle: two spin locks in opposite order. */
#include "common.h"

static pthread_spinlock_t first;
static pthread_spinlock_t second;

static void *
forward(void *unused)
{
    pthread_spin_lock(&first);
    meet();
    pthread_spin_lock(&second);
    pthread_spin_unlock(&second);
    pthread_spin_unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    pthread_spin_lock(&second);
    meet();
    pthread_spin_lock(&first);
    pthread_spin_unlock(&first);
    pthread_spin_unlock(&second);
    return unused;
}

int
main(void)
{
    pthread_spin_init(&first, 0);
    pthread_spin_init(&second, 0);
    run_both(forward, backward);
    return 0;
}

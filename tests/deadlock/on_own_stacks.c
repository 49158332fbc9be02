/* cannot: locks in the frames of routines of threads lie where those of threads
 * before them lay. */
#include "common.h"

static pthread_mutex_t common = MUTEX;
static pthread_spinlock_t fresh; /* what one is at first */
static _Atomic int ended;

static void *
owns_outside(void *unused)
{
    pthread_spinlock_t own = fresh;

    must(pthread_spin_lock(&own));
    lock(&common);
    unlock(&common);
    must(pthread_spin_unlock(&own));
    ended++;
    return unused;
}

static void *
owns_inside(void *unused)
{
    pthread_spinlock_t own = fresh;

    lock(&common);
    must(pthread_spin_lock(&own));
    must(pthread_spin_unlock(&own));
    unlock(&common);
    ended++;
    return unused;
}

int
main(void)
{
    must(pthread_spin_init(&fresh, PTHREAD_PROCESS_PRIVATE));
    for (int i = 0; i < 4; i++) {
        pthread_t t;
        must(pthread_create(&t, NULL, i % 2 == 0 ? owns_outside : owns_inside,
                            NULL));
        must(pthread_detach(t));
        while (ended <= i)
            sleep_ms(1);
        sleep_ms(5);
    }
    return 0;
}

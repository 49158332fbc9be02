/* cannot: locks that each thread has of its own lie where those of threads
 * before it lay. */
#include "common.h"

static pthread_mutex_t common = MUTEX;
static _Atomic int ended;
static _Thread_local pthread_mutex_t own = MUTEX;

static void *
owns_outside(void *unused)
{
    lock(&own);
    lock(&common);
    unlock(&common);
    unlock(&own);
    ended++;
    return unused;
}

static void *
owns_inside(void *unused)
{
    lock(&common);
    lock(&own);
    unlock(&own);
    unlock(&common);
    ended++;
    return unused;
}

int
main(void)
{
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

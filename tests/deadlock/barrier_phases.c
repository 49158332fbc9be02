/* cannot: workers meet at a barrier between the orders, five times. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static pthread_barrier_t b;

static void *
work(void *arg)
{
    const long me = (long)arg;

    for (int i = 0; i < 10; i++) {
        if (i % 2 == 0 && me == 0) {
            lock(&first);
            lock(&second);
            unlock(&second);
            unlock(&first);
        } else if (i % 2 == 1 && me == 1) {
            lock(&second);
            lock(&first);
            unlock(&first);
            unlock(&second);
        }
        pthread_barrier_wait(&b);
    }
    return NULL;
}

int
main(void)
{
    pthread_t t[3];

    must(pthread_barrier_init(&b, NULL, 3));
    for (long i = 0; i < 3; i++)
        t[i] = start(work, (void *)i);
    for (int i = 0; i < 3; i++)
        join(t[i]);
    must(pthread_barrier_destroy(&b));
    return 0;
}

/* cannot: workers sleep while the first thread does something else. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ends;

static void *
work(void *unused)
{
    lock(&m);
    while (!ends)
        pthread_cond_wait(&c, &m);
    unlock(&m);
    return unused;
}

int
main(void)
{
    const pthread_t a = start(work, NULL);
    const pthread_t b = start(work, NULL);

    sleep_ms(3 * A_WHILE_MS);
    lock(&m);
    ends = 1;
    pthread_cond_broadcast(&c);
    unlock(&m);
    join(a);
    join(b);
    return 0;
}

/* cannot: a party has ended, and the first thread starts another one that comes in
 * its place. */
#include "common.h"

static pthread_barrier_t b;

static void *
once(void *unused)
{
    pthread_barrier_wait(&b);
    return unused;
}

static void *
twice(void *unused)
{
    pthread_barrier_wait(&b);
    pthread_barrier_wait(&b);
    return unused;
}

int
main(void)
{
    must(pthread_barrier_init(&b, NULL, 2));
    const pthread_t t = start(twice, NULL);
    join(start(once, NULL));
    sleep_ms(4L * A_WHILE_MS);
    join(start(once, NULL));
    join(t);
    return 0;
}

/* cannot: the program ends while a worker sleeps. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void *
work(void *unused)
{
    lock(&m);
    for (;;)
        pthread_cond_wait(&c, &m);
    return unused;
}

int
main(void)
{
    start(work, NULL);
    sleep_ms(A_WHILE_MS);
    return 0;
}

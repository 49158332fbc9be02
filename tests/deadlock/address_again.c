/* cannot: another mutex lies where one was that was never unlocked. */
#include "common.h"

static void *
use(void *arg)
{
    pthread_mutex_t *m = arg;

    must(pthread_mutex_init(m, NULL));
    lock(m);
    sleep_ms(A_WHILE_MS);
    memset(m, 0, sizeof(*m)); /* the memory was freed and is used again */
    return NULL;
}

int
main(void)
{
    static pthread_mutex_t m;
    static pthread_mutex_t other = MUTEX;

    join(start(use, &m));
    must(pthread_mutex_init(&m, NULL));
    lock(&m);
    lock(&other);
    unlock(&other);
    unlock(&m);
    return 0;
}

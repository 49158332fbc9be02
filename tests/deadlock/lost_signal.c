/* does asleep: the only signal came before the wait. */
#include "common.h"

static pthread_mutex_t m = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void *
tell(void *unused)
{
    pthread_cond_signal(&c);
    return unused;
}

int
main(void)
{
    join(start(tell, NULL));
    lock(&m);
    pthread_cond_wait(&c, &m);
    unlock(&m);
    return 0;
}

/* does cycle: nobody joins the two that are stuck; the first thread sleeps. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    lock(&second);
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    must(pthread_detach(start(forward, NULL)));
    must(pthread_detach(start(backward, NULL)));
    for (;;)
        sleep_ms(1000);
    return 0;
}

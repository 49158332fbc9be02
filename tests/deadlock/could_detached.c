/* could 2: two detached threads in opposite orders. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static _Atomic int done;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    done++;
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    done++;
    return unused;
}

int
main(void)
{
    pthread_t t;

    must(pthread_create(&t, NULL, forward, NULL));
    must(pthread_detach(t));
    apart();
    must(pthread_create(&t, NULL, backward, NULL));
    must(pthread_detach(t));
    while (done < 2)
        sleep_ms(1);
    return 0;
}

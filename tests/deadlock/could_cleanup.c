/* could 2: a handler of cancellation takes the locks in the other order. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static __attribute__((noinline)) void
clean_up(void *unused)
{
    (void)unused;
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
}

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second); /* here */
    unlock(&second);
    unlock(&first);
    return unused;
}

static void *
backward(void *unused)
{
    pthread_cleanup_push(clean_up, NULL);
    sleep_ms(60000);
    pthread_cleanup_pop(0);
    return unused;
}

int
main(void)
{
    const pthread_t a = start(forward, NULL);
    const pthread_t b = start(backward, NULL);

    apart();
    must(pthread_cancel(b));
    join(a);
    join(b);
    return 0;
}

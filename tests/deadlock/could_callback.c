/* could 2: a callback is called with a lock held, and takes another. */
#include "common.h"

static pthread_mutex_t list = MUTEX;
static pthread_mutex_t window = MUTEX;

static __attribute__((noinline)) void
redraw(void)
{
    lock(&window); /* here */
    unlock(&window);
}

static void
tell_listeners(void (*listener)(void))
{
    lock(&list);
    listener();
    unlock(&list);
}

static void *
forward(void *unused)
{
    tell_listeners(redraw);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&window);
    lock(&list); /* here */
    unlock(&list);
    unlock(&window);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}

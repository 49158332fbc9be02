/* cannot: the first thread has one order while it is alone, and its threads the
 * other; at the end it has its own again. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void
set_up(void)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
}

static void *
backward(void *unused)
{
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    set_up();
    run_both(backward, backward);
    set_up();
    return 0;
}

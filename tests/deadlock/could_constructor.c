/* could 2: one of the orders before main begins. */
#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

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
    lock(&second);
    lock(&first); /* here */
    unlock(&first);
    unlock(&second);
    return unused;
}

static pthread_t early;

__attribute__((constructor)) static void
begin(void)
{
    early = start(forward, NULL);
}

int
main(void)
{
    apart();
    join(start(backward, NULL));
    join(early);
    return 0;
}

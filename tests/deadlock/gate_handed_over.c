/* cannot: the lock that both want is taken behind the gate, and who keeps the
 * gate has passed it: then the other has given it up. */
#include "common.h"

static pthread_mutex_t gate = MUTEX;
static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;

static void *
keeps_gate(void *unused)
{
    lock(&gate);
    lock(&a);
    unlock(&a);
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    unlock(&gate);
    return unused;
}

static void *
hands_over(void *unused)
{
    lock(&gate);
    lock(&a);
    unlock(&gate);
    lock(&b);
    unlock(&b);
    unlock(&a);
    return unused;
}

int
main(void)
{
    run_apart(keeps_gate, hands_over);
    return 0;
}

/* does cycle: where the system forbids to read the memory of a process, this one
 * too. */
#include "common.h"
#include "sandbox.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

static void *
forward(void *unused)
{
    lock(&first);
    meet();
    lock(&second);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&second);
    meet();
    lock(&first);
    return unused;
}

int
main(void)
{
    (void)forbid_reading();
    run_both(forward, backward);
    return 0;
}

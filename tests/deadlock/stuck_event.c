/* does stuck --stuck=1: a worker waits for an event made of a futex, which the
 * first thread has set before it was made. */
#include "common.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static _Atomic int event;

static void *
worker(void *unused)
{
    atomic_store(&event, 0); /* too late: it may be set already */
    meet();
    while (atomic_load(&event) == 0)
        syscall(SYS_futex, &event, FUTEX_WAIT, 0, NULL, NULL, 0);
    return unused;
}

int
main(void)
{
    atomic_store(&event, 1);
    const pthread_t t = start(worker, NULL);
    meet();
    join(t);
    return 0;
}

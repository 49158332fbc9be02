/* cannot --stuck=0.3: all wait but one, who sleeps for a while and then wakes
 * them. */
#include "common.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static _Atomic int event;

static void *
worker(void *unused)
{
    while (atomic_load(&event) == 0)
        syscall(SYS_futex, &event, FUTEX_WAIT, 0, NULL, NULL, 0);
    return unused;
}

int
main(void)
{
    const pthread_t t = start(worker, NULL);

    sleep_ms(5L * A_WHILE_MS);
    atomic_store(&event, 1);
    syscall(SYS_futex, &event, FUTEX_WAKE, 1, NULL, NULL, 0);
    join(t);
    return 0;
}

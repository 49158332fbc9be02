/* cannot --stuck=0.3: who waits for its own futex has a deadline, and then
 * goes on. */
#include "common.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static _Atomic int event;

int
main(void)
{
    const struct timespec t = {2, 0};

    syscall(SYS_futex, &event, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
    return 0;
}

/* cannot --stuck=0.3: a futex in memory that a child has, too. */
#include "common.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

int
main(void)
{
    _Atomic int *event = mmap(NULL, sizeof(*event), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (fork() == 0) {
        sleep_ms(5L * A_WHILE_MS);
        atomic_store(event, 1);
        syscall(SYS_futex, event, FUTEX_WAKE, 1, NULL, NULL, 0);
        _exit(0);
    }
    while (atomic_load(event) == 0)
        syscall(SYS_futex, event, FUTEX_WAIT, 0, NULL, NULL, 0);
    wait(NULL);
    return 0;
}

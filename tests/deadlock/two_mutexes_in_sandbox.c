/* does cycle: where the system forbids to read the memory of a process, this one
 * too. */
#include "common.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;

/* Where filters are not to be had it is as any other program. */
static void
forbid_reading(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof(rules) / sizeof(rules[0]), rules};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

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
    forbid_reading();
    run_both(forward, backward);
    return 0;
}

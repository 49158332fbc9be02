/* cannot: the system forbids to read the memory of a process; a mutex is freed
 * that another thread unlocked, and so is still on the list of the first. */
#include "common.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static pthread_mutex_t *box;
static pthread_mutex_t other = MUTEX;

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
unlocks(void *unused)
{
    unlock(box);
    return unused;
}

int
main(void)
{
    forbid_reading();
    box = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
               -1, 0);
    must(pthread_mutex_init(box, NULL));
    lock(box);
    join(start(unlocks, NULL));
    must(munmap(box, 4096));
    for (int i = 0; i < 40; i++) {
        pthread_mutex_t m = MUTEX;
        lock(&other);
        lock(&m);
        unlock(&m);
        unlock(&other);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - how many CPUs this process may use.
 *
 * The affinity mask says on which CPUs a thread may run, the cgroup quota
 * (cpu_quota.c) how much of their time all threads together may take.  The
 * smaller of the two is how many threads can make progress at once.
 */
#include "base/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <weft/base.h>

/*
 * CPUs the mask has room for.  The system refuses a mask that is smaller than
 * its own; Linux can be built for 8192 CPUs, a plain cpu_set_t holds 1024.
 */
#define MASK_CPUS 32768

static unsigned
allowed_by_affinity(pid_t thread)
{
    cpu_set_t mask[MASK_CPUS / CPU_SETSIZE];

    if (sched_getaffinity(thread, sizeof(mask), mask) == 0)
        return (unsigned)CPU_COUNT_S(sizeof(mask), mask);
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

unsigned
weft_cpu_count_of_(pid_t thread, const char *root)
{
    int cancel_state;

    /* Reading files is a cancellation point, and the first wait comes here. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    const unsigned allowed = allowed_by_affinity(thread);
    const unsigned granted = weft_cpu_quota_(root);
    pthread_setcancelstate(cancel_state, NULL);
    const unsigned count = allowed < granted ? allowed : granted;

    return count > 0 ? count : 1;
}

unsigned
weft_cpu_count(void)
{
    return weft_cpu_count_of_(0, "");
}

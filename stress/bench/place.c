/* SPDX-License-Identifier: MIT */
/*
 * place.c - a thread is moved by allowing it one CPU, and freed by allowing it
 * all that it had.
 */
#include "bench/place.h"

#include <sched.h>
#include <stdbool.h>

/* The CPUs that it may use, and the one of them for `index`. */
static bool
choose(unsigned index, cpu_set_t *mine, cpu_set_t *one)
{
    if (sched_getaffinity(0, sizeof(*mine), mine) != 0)
        return false;
    unsigned skip = index % (unsigned)CPU_COUNT(mine);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, mine) || skip-- > 0)
        cpu++;
    CPU_ZERO(one);
    CPU_SET(cpu, one);
    return true;
}

void
bench_place(unsigned index)
{
    cpu_set_t mine;
    cpu_set_t one;

    if (!choose(index, &mine, &one))
        return;
    /* Either may fail if an administrator takes CPUs away meanwhile: then the
     * thread is where the system put it. */
    (void)sched_setaffinity(0, sizeof(one), &one);
    (void)sched_setaffinity(0, sizeof(mine), &mine);
}

void
bench_pin(unsigned index)
{
    cpu_set_t mine;
    cpu_set_t one;

    if (choose(index, &mine, &one))
        (void)sched_setaffinity(0, sizeof(one), &one);
}

/* SPDX-License-Identifier: MIT */
/*
 * place.c - a thread is moved by allowing it one CPU, and freed by allowing it
 * all that it had.
 */
#include "bench/place.h"

#include <sched.h>

void
bench_place(unsigned index)
{
    cpu_set_t mine;
    cpu_set_t one;

    if (sched_getaffinity(0, sizeof(mine), &mine) != 0)
        return;
    unsigned skip = index % (unsigned)CPU_COUNT(&mine);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &mine) || skip-- > 0)
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    /* Either may fail if an administrator takes CPUs away meanwhile: then the
     * thread is where the system put it. */
    (void)sched_setaffinity(0, sizeof(one), &one);
    (void)sched_setaffinity(0, sizeof(mine), &mine);
}

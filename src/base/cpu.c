/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - how many CPUs this process may use.
 */
#include <sched.h>

#include <weft/base.h>

unsigned
weft_cpu_count(void)
{
    cpu_set_t mine;

    if (sched_getaffinity(0, sizeof(mine), &mine) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&mine);
}

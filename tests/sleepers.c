/* SPDX-License-Identifier: MIT */
/*
 * sleepers.c - asks the kernel, by moving all sleepers to where they are.
 */
#include "sleepers.h"

#include <check.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/park.h"

unsigned
sleepers(const void *word)
{
    const long moved =
        syscall(SYS_futex, word, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0,
                (void *)0x7fffffff, word, 0);

    ck_assert_int_ge(moved, 0);
    return (unsigned)moved;
}

void
await_sleepers(const void *word, unsigned n)
{
    while (sleepers(word) != n)
        sched_yield();
}

void
have_one_cpu(bool one)
{
    static cpu_set_t all;
    cpu_set_t first;
    size_t cpu = 0;

    if (CPU_COUNT(&all) == 0)
        ck_assert_int_eq(sched_getaffinity(getpid(), sizeof(all), &all), 0);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    ck_assert_int_eq(
        sched_setaffinity(getpid(), sizeof(all), one ? &first : &all), 0);
    weft_park_recount_();
}

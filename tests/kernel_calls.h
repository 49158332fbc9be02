/* SPDX-License-Identifier: MIT */
/*
 * kernel_calls.h - how often a thread enters the kernel to wait or to wake; for
 * one file of a program that is linked with -Wl,--wrap=syscall.
 */
#ifndef TESTS_KERNEL_CALLS_H
#define TESTS_KERNEL_CALLS_H

#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "base/park.h"

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* How many futex calls the calling thread has made, and how many threads those
 * of them that wake have woken. */
static __thread unsigned kernel_calls;
static __thread unsigned kernel_woken;

/* It reads more arguments than some calls have, and cancelled threads leave
 * it. */
WEFT_LEFT_WHEN_CANCELLED_ long
__wrap_syscall(long number, ...)
{
    va_list rest;

    va_start(rest, number);
    void *word = va_arg(rest, void *);
    int operation = va_arg(rest, int);
    unsigned value = va_arg(rest, unsigned);
    void *until = va_arg(rest, void *);
    void *other = va_arg(rest, void *);
    unsigned mask = va_arg(rest, unsigned);
    va_end(rest);
    kernel_calls += number == SYS_futex;
    const long result =
        __real_syscall(number, word, operation, value, until, other, mask);
    if (number == SYS_futex && (operation & FUTEX_CMD_MASK) == FUTEX_WAKE &&
        result > 0)
        kernel_woken += (unsigned)result;
    return result;
}

#endif /* TESTS_KERNEL_CALLS_H */

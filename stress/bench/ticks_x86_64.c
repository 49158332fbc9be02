/* SPDX-License-Identifier: MIT */
/*
 * ticks_x86_64.c - the processor's time stamp counter.
 */
#include <x86intrin.h>

#include "bench/ticks.h"

const char ticks_name[] = "time stamp counter";

int64_t
ticks_now(void)
{
    _mm_lfence();
    const int64_t now = (int64_t)__rdtsc();
    _mm_lfence();
    return now;
}

/* SPDX-License-Identifier: MIT */
/*
 * ticks_clock.c - the system's clock, where the processor's own is not fine
 * enough or not known.
 */
#include "bench/ticks.h"
#include "progress.h"

const char ticks_name[] = "clock_gettime";

int64_t
ticks_now(void)
{
    return clock_ns();
}

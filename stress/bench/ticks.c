/* SPDX-License-Identifier: MIT */
/*
 * ticks.c - what a tick is worth and what a stamp costs.
 */
#include "bench/ticks.h"

#include "progress.h"

#define CALIBRATE_NS INT64_C(20000000)
#define STAMPS       2000

double
ticks_in_ns(void)
{
    static double known;

    if (known > 0)
        return known;
    const int64_t begin_ns = clock_ns();
    const int64_t begin = ticks_now();
    int64_t end_ns;
    do {
        end_ns = clock_ns();
    } while (end_ns - begin_ns < CALIBRATE_NS);
    known = (double)(end_ns - begin_ns) / (double)(ticks_now() - begin);
    return known;
}

int64_t
ticks_of_itself(void)
{
    static int64_t known = -1;

    if (known >= 0)
        return known;
    int64_t least = INT64_MAX;
    for (int i = 0; i < STAMPS; i++) {
        const int64_t begin = ticks_now();
        const int64_t took = ticks_now() - begin;
        if (took < least)
            least = took;
    }
    known = least;
    return known;
}

/* SPDX-License-Identifier: MIT */
/*
 * sync_busy.c - how long a loop of busy work takes here: the least of many
 * tries, at two lengths, so that what a call costs by itself is known too.
 */
#include "bench/sync_loops.h"

#define SHORT 20
#define LONG  400
#define TRIES 200
#define CALLS 16

static double
time_of(unsigned loops)
{
    int64_t least = INT64_MAX;
    uint64_t x = 1;

    for (int try = 0; try < TRIES; try++) {
        const int64_t begin = clock_ns();
        for (int i = 0; i < CALLS; i++)
            x = sync_busy(x, loops);
        const int64_t took = clock_ns() - begin;
        least = took < least ? took : least;
    }
    return (double)least / CALLS;
}

unsigned
sync_loops_of(unsigned ns)
{
    static double each_ns; /* once for the process: rows stay comparable */
    static double around_ns;

    if (ns == 0)
        return 0;
    if (each_ns <= 0) {
        const double shorter = time_of(SHORT);
        each_ns = (time_of(LONG) - shorter) / (LONG - SHORT);
        each_ns = each_ns > 0.01 ? each_ns : 0.01;
        around_ns = shorter - SHORT * each_ns;
    }
    const double loops = (ns - around_ns) / each_ns;
    return loops > 0 ? (unsigned)(loops + 0.5) : 0;
}

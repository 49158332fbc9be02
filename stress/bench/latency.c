/* SPDX-License-Identifier: MIT */
/*
 * latency.c - percentiles, from ticks to nanoseconds.
 */
#include "bench/latency.h"

#include "bench/ticks.h"

void
bench_latency(const struct histogram *times, struct bench_sample *out)
{
    static const double percents[BENCH_PERCENTILES] = {50, 99, 99.9, 100};

    for (int p = 0; p < BENCH_PERCENTILES; p++) {
        const int64_t ticks =
            histogram_percentile(times, percents[p]) - ticks_of_itself();
        out->latency_ns[p] = ticks > 0 ? (double)ticks * ticks_in_ns() : 0;
    }
}

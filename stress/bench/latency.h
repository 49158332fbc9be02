/* SPDX-License-Identifier: MIT */
/*
 * latency.h - how long single operations took.  They are timed in a pass of
 * their own, one in a few, so that throughput is measured undisturbed.
 */
#ifndef STRESS_BENCH_LATENCY_H
#define STRESS_BENCH_LATENCY_H

#include "bench/bench.h"
#include "report/histogram.h"

#define BENCH_LATENCY_SHARE 0.3 /* of the time of a row that has latency */

/* The percentiles of `times` [ticks], without the cost of the stamps. */
void bench_latency(const struct histogram *times, struct bench_sample *out);

#endif /* STRESS_BENCH_LATENCY_H */

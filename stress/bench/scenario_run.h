/* SPDX-License-Identifier: MIT */
/*
 * scenario_run.h - what the scenarios of `bench` share: the run itself.
 */
#ifndef STRESS_BENCH_SCENARIO_RUN_H
#define STRESS_BENCH_SCENARIO_RUN_H

#include "bench/bench.h"

/* Measure the tables of the run and show them; ends the run. */
enum outcome bench_run_scenario(struct bench_run *run, const char *threads);

/* The same for the calls of bench_quick_...: the tables are one per thread
 * count, with the same rows, in millions a second. */
void bench_begin_quick(struct bench_run *run, const struct options *o,
                       struct report *r, double seconds);
size_t bench_run_quick(struct bench_run *run, struct bench_quick *rows,
                       size_t max);

#endif /* STRESS_BENCH_SCENARIO_RUN_H */

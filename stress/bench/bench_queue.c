/* SPDX-License-Identifier: MIT */
/*
 * bench_queue.c - `weft-stress bench queue`.
 */
#include "bench/queue.h"
#include "bench/scenario_run.h"
#include "scenario.h"

#define DURATION_S 60
#define ROUNDS     7

static const struct queue_variant *const bounded[] = {
    queue_weft_blocking, queue_pthread_blocking, queue_glib, queue_weft_polled,
    NULL};
static const struct queue_variant *const unbounded[] = {queue_weft_unbounded,
                                                        queue_glib, NULL};

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;
    struct queue_plan plan = {
        .mixes = {{1, 1}, {2, 2}, {4, 4}},
        .mix_count = 3,
        .variants = bounded,
    };

    queue_plan(&plan, o);
    bench_begin(&run, "bench queue", o, r, DURATION_S, ROUNDS);
    queue_blocking_tables(&run, &plan, unbounded);
    return bench_run_scenario(&run, "producers x consumers as each table says");
}

const struct scenario bench_queue = {
    .command = "bench",
    .name = "queue",
    .summary = "queues whose producers and consumers wait for each other",
    .run = run,
    .extras = queue_extras,
};

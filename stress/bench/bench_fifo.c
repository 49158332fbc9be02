/* SPDX-License-Identifier: MIT */
/*
 * bench_fifo.c - `weft-stress bench fifo`.
 */
#include "bench/queue.h"
#include "bench/scenario_run.h"
#include "scenario.h"

#define DURATION_S 75
#define ROUNDS     7

static const struct queue_variant *const variants[] = {
    queue_weft_fifo, queue_list, queue_ck_fifo, queue_urcu, queue_glib, NULL};

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;
    struct queue_plan plan = {
        .bound = "window",
        .mixes = {{1, 1}, {2, 2}, {4, 4}},
        .mix_count = 3,
        .bulks = {{1, 1}, {2, 2}},
        .bulk_count = 2,
        .pairs = {1, 2, 4},
        .pair_count = 3,
        .alone = QUEUE_SPSC | QUEUE_MPMC,
        .variants = variants,
    };

    queue_plan(&plan, o);
    bench_begin(&run, "bench fifo", o, r, DURATION_S, ROUNDS);
    queue_tables(&run, &plan);
    return bench_run_scenario(&run, "producers x consumers as each table says");
}

const struct scenario bench_fifo = {
    .command = "bench",
    .name = "fifo",
    .summary = "unbounded queues, with a window of items under way",
    .run = run,
    .extras = queue_extras,
};

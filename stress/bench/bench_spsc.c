/* SPDX-License-Identifier: MIT */
/*
 * bench_spsc.c - `weft-stress bench spsc`.
 */
#include "bench/queue.h"
#include "bench/scenario_run.h"
#include "scenario.h"

#define DURATION_S 25
#define ROUNDS     7

static const struct queue_variant *const variants[] = {
    queue_weft_spsc, queue_pthread, queue_ck, queue_urcu, queue_glib, NULL};

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;
    struct queue_plan plan = {
        .bulks = {{1, 1}},
        .bulk_count = 1,
        .alone = QUEUE_SPSC,
        .variants = variants,
    };

    queue_plan(&plan, o);
    /* These are for any number: here it is always one. */
    plan.mixes[0] = (struct mix){1, 1};
    plan.mix_count = 1;
    plan.pairs[0] = 1;
    plan.pair_count = 1;
    bench_begin(&run, "bench spsc", o, r, DURATION_S, ROUNDS);
    queue_tables(&run, &plan);
    return bench_run_scenario(&run, "one producer, one consumer");
}

const struct scenario bench_spsc = {
    .command = "bench",
    .name = "spsc",
    .summary = "bounded queues of one producer and one consumer",
    .run = run,
    .extras = queue_extras,
};

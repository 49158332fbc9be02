/* SPDX-License-Identifier: MIT */
/*
 * bench_stack.c - `weft-stress bench stack`.
 */
#include "bench/queue.h"
#include "bench/scenario_run.h"
#include "scenario.h"

#define DURATION_S 40
#define ROUNDS     7

static const struct queue_variant *const variants[] = {
    queue_weft_stack, queue_stack_rivals, NULL};

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;
    struct queue_plan plan = {
        .mixes = {{1, 1}, {2, 2}},
        .mix_count = 2,
        .bulks = {{1, 1}, {2, 2}},
        .bulk_count = 2,
        .pairs = {1, 2, 4, 8},
        .pair_count = 4,
        .alone = QUEUE_SPSC | QUEUE_MPMC,
        .variants = variants,
    };

    queue_plan(&plan, o);
    if (options_extra(o, "capacity") == NULL)
        plan.capacity_count = 1;
    bench_begin(&run, "bench stack", o, r, DURATION_S, ROUNDS);
    queue_tables(&run, &plan);
    return bench_run_scenario(&run, "producers x consumers as each table says");
}

const struct scenario bench_stack = {
    .command = "bench",
    .name = "stack",
    .summary = "stacks of any number of threads",
    .run = run,
    .extras = queue_extras,
};

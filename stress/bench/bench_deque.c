/* SPDX-License-Identifier: MIT */
/*
 * bench_deque.c - `weft-stress bench deque`.  The producer of each table is the
 * owner, its consumers are thieves.  In the tables of a small capacity the
 * owner pops three of four items itself.
 */
#include "bench/deques.h"
#include "bench/scenario_run.h"
#include "scenario.h"

#define DURATION_S 30
#define ROUNDS     7
#define OWN_MOST   256 /* items, where the owner works */

static const struct queue_variant *const variants[] = {deque_weft, deque_rivals,
                                                       NULL};
static const struct queue_variant *const workers[] = {deque_weft_works,
                                                      deque_rivals_work, NULL};

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;
    struct queue_plan robbed = {
        .mixes = {{1, 1}, {1, 2}, {1, 3}},
        .mix_count = 3,
        .pairs = {1},
        .pair_count = 1,
        .alone = QUEUE_SPSC,
        .variants = variants,
    };
    struct queue_plan works = robbed;

    works.variants = workers;
    queue_plan(&robbed, o);
    queue_plan(&works, o);
    if (options_extra(o, "capacity") == NULL)
        robbed.capacity_count = 1;
    robbed.pairs[0] = 1; /* there is one owner */
    robbed.pair_count = 1;
    works.capacities[0] = OWN_MOST;
    works.capacity_count = 1;
    works.pair_count = 0;
    bench_begin(&run, "bench deque", o, r, DURATION_S, ROUNDS);
    queue_tables(&run, &robbed);
    queue_tables(&run, &works);
    return bench_run_scenario(&run, "one owner, thieves as each table says");
}

const struct scenario bench_deque = {
    .command = "bench",
    .name = "deque",
    .summary = "deques of one owner, with thieves and without",
    .run = run,
    .extras = queue_extras,
};

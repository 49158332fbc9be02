/* SPDX-License-Identifier: MIT */
/*
 * soak_pool.c - `weft-stress soak pool`: what pools, futures and what is shared
 * in them promise, by form and number of workers, for a share of the time each.
 */
#include "soak/pool.h"
#include "soak/rows.h"

#define OPS(form, n)                                                      \
    {                                                                     \
        .workers = (n), .impl = (form), .submit = weft_pool_submit_until, \
        .fork = fork_one, .reclaim = reclaim_one,                         \
        .result = weft_future_result, .on_done = weft_future_on_done,     \
        .cancel = weft_future_cancel, .parallel_for = weft_parallel_for   \
    }
#define SUBJECT(label, operations)                                           \
    {                                                                        \
        .name = (label), .tallies = {"ran", "dropped", "forked"},            \
        .least_threads = 2, .bytes = sizeof(struct soak_pool_case),          \
        .ops = (operations), .body = soak_pool_body, .open = soak_pool_open, \
        .close = soak_pool_close                                             \
    }

static void
fork_one(weft_strand *s, weft_task *t, weft_task_fn *fn)
{
    weft_fork(s, t, fn);
}

static bool
reclaim_one(weft_strand *s, weft_task *t)
{
    return weft_reclaim(s, t);
}

const struct soak_pool_ops soak_pool_ops = OPS(WEFT_LOCKFREE, 2);
static const struct soak_pool_ops ops[] = {
    OPS(WEFT_LOCKFREE, 1), OPS(WEFT_LOCKFREE, 2), OPS(WEFT_LOCKFREE, 8),
    OPS(WEFT_MUTEX, 1),    OPS(WEFT_MUTEX, 2),    OPS(WEFT_MUTEX, 8),
};

const struct soak_subject soak_pool_subjects[] = {
    SUBJECT("lockfree/1", &ops[0]), SUBJECT("lockfree/2", &ops[1]),
    SUBJECT("lockfree/8", &ops[2]), SUBJECT("mutex/1", &ops[3]),
    SUBJECT("mutex/2", &ops[4]),    SUBJECT("mutex/8", &ops[5]),
};

const struct soak_subject *const soak_pools[] = {
    &soak_pool_subjects[0], &soak_pool_subjects[1], &soak_pool_subjects[2],
    &soak_pool_subjects[3], &soak_pool_subjects[4], &soak_pool_subjects[5],
};
const size_t soak_pool_count = sizeof(soak_pools) / sizeof(soak_pools[0]);

static enum outcome
run(const struct options *o, struct report *r)
{
    const struct soak_list list = {
        .name = "pool",
        .column = "pool",
        .stuck = "is stuck",
        .subjects = soak_pools,
        .count = soak_pool_count,
    };

    return soak_rows(&list, o, r);
}

const struct scenario soak_pool_scenario = {
    .command = "soak",
    .name = "pool",
    .summary = "tasks, futures, forks and loops: is one lost, run twice, never "
               "done?",
    .run = run,
    .extras = soak_extras,
};

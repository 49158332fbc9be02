/* SPDX-License-Identifier: MIT */
/*
 * bench_pool.c - `weft-stress bench pool`: forks and joins, submission from
 * outside, and the way there and back, with one worker and with two.
 *
 * A row does its job over and over; what it shows is the time of a task.
 */
#include <weft/base.h>

#include <stdio.h>
#include <time.h>

#include "bench/pools.h"
#include "bench/scenario_run.h"
#include "bench/text.h"
#include "memory.h"
#include "scenario.h"

#define DURATION_S 30
#define ROUNDS     5

#define WEFT(job)                                                         \
    {.name = "weft_pool",                                                 \
     .kind = WEFT_LOCKFREE,                                               \
     .open = pool_weft_open,                                              \
     .close = pool_weft_close,                                            \
     .run = (job)},                                                       \
    {                                                                     \
        .name = "weft_pool, mutex", .baseline = true, .kind = WEFT_MUTEX, \
        .open = pool_weft_open, .close = pool_weft_close, .run = (job)    \
    }
#define RIVAL(title, job)                                           \
    {                                                               \
        .name = (title), .rival = true, .alone = true, .run = (job) \
    }

static const struct pool_job fibs[] = {
    WEFT(pool_weft_fib), RIVAL("plain calls", pool_serial_fib), {.name = NULL}};
static const struct pool_job queens[] = {
    WEFT(pool_weft_queens),
    RIVAL("plain calls", pool_serial_queens),
    {.name = NULL}};
static const struct pool_job trees[] = {WEFT(pool_weft_tree),
                                        RIVAL("plain calls", pool_serial_tree),
                                        {.name = NULL}};
static const struct pool_job skynets[] = {
    WEFT(pool_weft_skynet),
    RIVAL("plain calls", pool_serial_skynet),
    {.name = NULL}};
static const struct pool_job flats[] = {WEFT(pool_weft_flat), {.name = NULL}};
static const struct pool_job submits[] = {WEFT(pool_weft_submit),
                                          {.name = NULL}};
static const struct pool_job futures[] = {WEFT(pool_weft_futures),
                                          {.name = NULL}};
static const struct pool_job twos[] = {WEFT(pool_weft_two), {.name = NULL}};
static const struct pool_job trips[] = {
    WEFT(pool_weft_trips),
    RIVAL("a thread for each", pool_thread_trips),
    {.name = NULL}};

const struct pool_table pool_tables[] = {
    {"fib", "fork and join: fib(27)", "ns/fork", 1, fibs},
    {"queens", "the same: 9 queens", "ns/fork", 1, queens},
    {"tree", "the same: a tree whose halves differ", "ns/fork", 1, trees},
    {"skynet", "the same: ten to a node", "ns/fork", 1, skynets},
    {"flat", "the same: all from one task", "ns/fork", 1, flats},
    {"submit", "submitted from outside, and run", "ns/task", 1, submits},
    {"futures", "the same with futures", "ns/task", 1, futures},
    {"two", "the same, two submit, without futures", "ns/task", 1, twos},
    {"trip", "one after the other, there and back", "us/task", 1e-3, trips},
    {.name = NULL}};

struct load {
    const struct pool_table *table;
    unsigned workers;
};

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool
measure(const struct bench_table *t, const struct bench_row *row,
        const struct bench_cell *cell, struct bench_sample *out)
{
    const struct load *load = t->load;
    const struct pool_job *job = row->subject;
    struct pool_place at = {.workers = load->workers};
    uint64_t tasks = 0;
    int64_t took;

    if (job->open != NULL && !job->open(&at, job->kind)) {
        report_abandon(cell->report, "%s: cannot be set up", job->name);
        return false;
    }
    const int64_t begin = now_ns();
    do {
        const uint64_t n = job->run(&at);
        tasks += n;
        if (n == 0)
            snprintf(out->fault, sizeof(out->fault), "the outcome is wrong");
        took = now_ns() - begin;
    } while (out->fault[0] == '\0' && (double)took < cell->seconds * 1e9);
    if (job->close != NULL)
        job->close(&at);
    out->value =
        tasks == 0 ? 0 : (double)took / (double)tasks * load->table->per_ns;
    return true;
}

static void
add_table(struct bench_run *run, const struct pool_table *p, unsigned workers)
{
    struct load *load = must_have(1, sizeof(*load));
    struct bench_table *t;

    *load = (struct load){p, workers};
    t = bench_table(run,
                    &(struct bench_table){
                        .name = bench_text("%s-%u", p->name, workers),
                        .title = bench_text("%s, %u worker%s", p->title,
                                            workers, workers == 1 ? "" : "s"),
                        .unit = p->unit,
                        .less_is_better = true,
                        .weight = 1,
                        .load = load,
                        .measure = measure});
    for (const struct pool_job *j = p->jobs; j->name != NULL; j++)
        if (!j->alone || workers == 1)
            bench_row(t, &(struct bench_row){.name = j->name,
                                             .note = j->note,
                                             .rival = j->rival,
                                             .baseline = j->baseline,
                                             .subject = j});
}

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;

    bench_begin(&run, "bench pool", o, r, DURATION_S, ROUNDS);
    for (const struct pool_table *p = pool_tables; p->name != NULL; p++)
        for (unsigned workers = 1; workers <= 2; workers++)
            add_table(&run, p, workers);
    return bench_run_scenario(&run, "1 and 2 workers");
}

const struct scenario bench_pool = {
    .command = "bench",
    .name = "pool",
    .summary = "forks and joins, submission, and the way there and back",
    .run = run,
};

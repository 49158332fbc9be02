/* SPDX-License-Identifier: MIT */
/*
 * bench_pool.c - `weft-stress bench pool`: forks and joins, loops, submission
 * from outside, the way there and back, and pools that rest, with 1, 2 and 8
 * workers.
 *
 * A row does its job over and over; what it shows is the time of a task.
 */
#include <weft/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/pools_loops.h"
#include "bench/scenario_run.h"
#include "bench/text.h"
#include "memory.h"
#include "scenario.h"

#define DURATION_S 30
#define ROUNDS     5

#define WEFT_LOOP(job, begin, check)                                      \
    {.name = "weft_pool",                                                 \
     .kind = WEFT_LOCKFREE,                                               \
     .open = pool_weft_open,                                              \
     .close = pool_weft_close,                                            \
     .run = (job),                                                        \
     .before = (begin),                                                   \
     .is_right = (check)},                                                \
    {                                                                     \
        .name = "weft_pool, mutex", .baseline = true, .kind = WEFT_MUTEX, \
        .open = pool_weft_open, .close = pool_weft_close, .run = (job),   \
        .before = (begin), .is_right = (check)                            \
    }
#define WEFT(job) WEFT_LOOP(job, NULL, NULL)
#define PLAIN(job, begin, check)                                          \
    {                                                                     \
        .name = "plain loop", .rival = true, .alone = true, .run = (job), \
        .before = (begin), .is_right = (check)                            \
    }
#define LOOPS(job, begin, check)                    \
    {                                               \
        WEFT_LOOP(pool_weft_##job, begin, check),   \
            PLAIN(pool_serial_##job, begin, check), \
        {                                           \
            .name = NULL                            \
        }                                           \
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
static const struct pool_job matrices[] =
    LOOPS(matrix, pool_matrix_begin, pool_matrix_is_right);
static const struct pool_job fors[] =
    LOOPS(for, pool_loops_begin, pool_for_is_right);
static const struct pool_job skewed[] =
    LOOPS(skewed, pool_loops_begin, pool_skewed_is_right);
static const struct pool_job smalls[] =
    LOOPS(small, pool_loops_begin, pool_small_is_right);
static const struct pool_job submits[] = {
    WEFT(pool_weft_submit),
    RIVAL("a thread for each", pool_thread_submits),
    {.name = NULL}};
/* Not alone: its result is asked for as that of a future. */
static const struct pool_job futures[] = {
    WEFT(pool_weft_futures),
    {.name = "a thread for each", .rival = true, .run = pool_thread_submits},
    {.name = NULL}};
static const struct pool_job twos[] = {WEFT(pool_weft_two), {.name = NULL}};
static const struct pool_job trips[] = {
    WEFT(pool_weft_trips),
    RIVAL("a thread for each", pool_thread_trips),
    {.name = "two wake-ups (limit)", .alone = true, .run = pool_bare_trips},
    {.name = NULL}};
static const struct pool_job colds[] = {
    WEFT(NULL),
    {.name = "two wake-ups (limit)", .alone = true},
    {.name = NULL}};
static const struct pool_job rests[] = {WEFT(NULL), {.name = NULL}};

/* clang-format off */
const struct pool_table pool_tables[] = {
    {"fib", "fork and join: Fibonacci numbers", "ns/fork", 1,
     fibs, pool_openmp_fibs, NULL, false},
    {"queens", "the same: 9 queens", "ns/fork", 1,
     queens, pool_openmp_queens, NULL, false},
    {"tree", "the same: a tree whose halves differ", "ns/fork", 1,
     trees, pool_openmp_trees, NULL, false},
    {"skynet", "the same: ten to a node", "ns/fork", 1,
     skynets, pool_openmp_skynets, NULL, false},
    {"flat", "the same: all from one task", "ns/fork", 1,
     flats, pool_openmp_flats, NULL, false},
    {"matrix", "the same: a product of matrices, 256 x 256", "ms/product", 1e-6,
     matrices, pool_openmp_matrices, NULL, false},
    {"for", "a loop over ten million numbers", "ms/loop", 1e-6,
     fors, pool_openmp_fors, NULL, false},
    {"skewed", "the same, one tenth of them with nine tenths of the work",
     "ms/loop", 1e-6,
     skewed, pool_openmp_skewed, NULL, false},
    {"small", "a loop over 1000 numbers", "us/loop", 1e-3,
     smalls, pool_openmp_smalls, NULL, false},
    {"submit", "submitted from outside, and run", "ns/task", 1,
     submits, pool_glib_submits, NULL, false},
    {"futures", "the same with futures", "ns/task", 1,
     futures, NULL, NULL, false},
    {"two", "the same, two submit, without futures", "ns/task", 1,
     twos, pool_glib_twos, NULL, false},
    {"trip", "one after the other, there and back", "us/task", 1e-3,
     trips, NULL, NULL, false},
    {"cold", "the same, after a millisecond of rest", "us/task", 1,
     colds, NULL, pool_cold, false},
    {"idle", "three seconds with nothing to do: CPU time", "us", 1,
     rests, pool_glib_idle, pool_idle, false},
    {"room", "a million that wait: memory", "bytes/task", 1,
     rests, NULL, pool_weft_room, true},
    {"room-futures", "the same with futures", "bytes/task", 1,
     rests, NULL, pool_weft_future_room, true},
    {.name = NULL}};
/* clang-format on */

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

/* Over and over; the time of a task in the unit of its table. */
static double
time_of_task(const struct load *load, const struct pool_job *job,
             struct pool_place *at, struct bench_sample *out)
{
    uint64_t tasks = 0;
    int64_t took;
    const int64_t begin = now_ns();

    do {
        const uint64_t n = job->run(at);
        tasks += n;
        if (n == 0)
            snprintf(out->fault, sizeof(out->fault), "the outcome is wrong");
        took = now_ns() - begin;
    } while (out->fault[0] == '\0' && (double)took < at->seconds * 1e9);
    return tasks == 0 ? 0 : (double)took / (double)tasks * load->table->per_ns;
}

static bool
measure(const struct bench_table *t, const struct bench_row *row,
        const struct bench_cell *cell, struct bench_sample *out)
{
    const struct load *load = t->load;
    const struct pool_job *job = row->subject;
    struct pool_place at = {.workers = load->workers, .seconds = cell->seconds};

    if (job->open != NULL && !job->open(&at, job->kind)) {
        report_abandon(cell->report, "%s: cannot be set up", job->name);
        return false;
    }
    if (job->before != NULL)
        job->before(&at);
    out->value = load->table->figure != NULL
                     ? load->table->figure(&at)
                     : time_of_task(load, job, &at, out);
    if (out->value < 0)
        snprintf(out->fault, sizeof(out->fault), "a submit has failed");
    if (job->is_right != NULL && !job->is_right(&at))
        snprintf(out->fault, sizeof(out->fault), "the outcome is wrong");
    if (job->close != NULL)
        job->close(&at);
    return true;
}

static void
add_rows(struct bench_table *t, const struct pool_job *jobs, unsigned workers,
         const char *only)
{
    for (const struct pool_job *j = jobs; j != NULL && j->name != NULL; j++)
        if ((!j->alone || workers == 1) &&
            (only == NULL || strstr(j->name, only) != NULL))
            bench_row(t, &(struct bench_row){.name = j->name,
                                             .note = j->note,
                                             .rival = j->rival,
                                             .baseline = j->baseline,
                                             .subject = j});
}

static void
add_table(struct bench_run *run, const struct pool_table *p, unsigned workers,
          const struct options *o)
{
    char *name = bench_text("%s-%u", p->name, workers);
    const char *wanted = options_extra(o, "table");
    struct bench_table *t;

    if (wanted != NULL && strstr(name, wanted) == NULL) {
        free(name);
        return;
    }
    struct load *load = must_have(1, sizeof(*load));
    *load = (struct load){p, workers};
    t = bench_table(run,
                    &(struct bench_table){
                        .name = name,
                        .title = bench_text("%s, %u worker%s", p->title,
                                            workers, workers == 1 ? "" : "s"),
                        .unit = p->unit,
                        .less_is_better = true,
                        .weight = 1,
                        .load = load,
                        .measure = measure});
    add_rows(t, p->jobs, workers, options_extra(o, "only"));
    add_rows(t, p->rivals, workers, options_extra(o, "only"));
}

static const unsigned worker_counts[] = {1, 2, 8};
#define COUNTS (sizeof(worker_counts) / sizeof(worker_counts[0]))

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;

    bench_begin(&run, "bench pool", o, r, DURATION_S, ROUNDS);
    for (const struct pool_table *p = pool_tables; p->name != NULL; p++)
        for (size_t i = 0; i < (p->alone ? 1 : COUNTS); i++)
            add_table(&run, p, worker_counts[i], o);
    return bench_run_scenario(&run, "1, 2 and 8 workers");
}

static const struct extra extras[] = {
    {"only", "TEXT", "only variants whose names have this in them", NULL, NULL},
    {"table", "TEXT", "only tables whose names have this in them", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct scenario bench_pool = {
    .command = "bench",
    .name = "pool",
    .summary =
        "forks and joins, loops, submission, the way there and back, rest",
    .run = run,
    .extras = extras,
};

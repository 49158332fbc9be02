/* SPDX-License-Identifier: MIT */
/*
 * bench_ring.c - `weft-stress bench ring`.
 */
#include "bench/queue.h"
#include "bench/scenario_run.h"
#include "scenario.h"

#define DURATION_S     75
#define ROUNDS         7
#define QUICK_CAPACITY 1024

static const struct queue_variant *const variants[] = {
    queue_weft_ring, queue_pthread, queue_ck, queue_urcu, queue_glib, NULL};

static bool
are_capacities(const char *text)
{
    unsigned out[QUEUE_LIST_MAX];

    return options_counts(text, QUEUE_CAPACITY_MAX, out, QUEUE_LIST_MAX) > 0;
}

const struct extra queue_extras[] = {
    {.name = "mix",
     .argument = "PxC,...",
     .help = "ring, fifo, queue: producers x consumers, as 1x1,2x2,4x4",
     .valid = options_are_mixes},
    {.name = "capacity",
     .argument = "N,...",
     .help = "ring, spsc, fifo, queue: capacities, as 1024,65536",
     .valid = are_capacities},
    {.name = "rows",
     .argument = "LIST",
     .help = "which of throughput,pairs,bulk,ping-pong; queue: of "
             "throughput,unbounded,ping-pong,sleep",
     .words = "throughput,pairs,bulk,ping-pong,unbounded,sleep"},
    {.name = "only",
     .argument = "TEXT",
     .help = "only the variants that have this in their name, as weft"},
    {.name = NULL},
};

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;
    struct queue_plan plan = {
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
    bench_begin(&run, "bench ring", o, r, DURATION_S, ROUNDS);
    queue_tables(&run, &plan);
    return bench_run_scenario(&run, "producers x consumers as each table says");
}

size_t
bench_quick_ring(const struct options *o, struct report *r, double seconds,
                 struct bench_quick *rows, size_t max)
{
    static const unsigned usual[] = {1, 2, 4, 8};
    const bool said = o->thread_counts > 0;
    const unsigned *threads = said ? o->threads : usual;
    const size_t count =
        said ? o->thread_counts : sizeof(usual) / sizeof(usual[0]);
    const struct queue_plan plan = {
        .only = options_extra(o, "only"), .options = o, .variants = variants};
    struct bench_run run;

    bench_begin_quick(&run, o, r, seconds);
    for (size_t i = 0; i < count; i++)
        queue_quick_table(&run, &plan, threads[i] > 1 ? threads[i] / 2 : 1,
                          QUICK_CAPACITY);
    return bench_run_quick(&run, rows, max);
}

const struct scenario bench_ring = {
    .command = "bench",
    .name = "ring",
    .summary = "bounded queues of any number of producers and consumers",
    .run = run,
    .extras = queue_extras,
};

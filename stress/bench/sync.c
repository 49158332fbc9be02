/* SPDX-License-Identifier: MIT */
/*
 * sync.c - from the tables of a concept to those of a bench.
 */
#include "bench/sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sanitized.h"
#include "bench/scenario_run.h"
#include "bench/text.h"
#include "memory.h"
#include "scenario.h"

#define DURATION_S  30
#define ROUNDS      7
#define WORDS_BYTES 256

const struct extra sync_extras[] = {
    {"only", "TEXT", "only variants whose names have this in them", NULL, NULL},
    {"table", "TEXT", "only tables whose names have this in them", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static bool
takes_any_number(enum sync_job job)
{
    return job == SYNC_SECTIONS || job == SYNC_READERS || job == SYNC_ROUNDS;
}

static const char *
unit_of(const struct sync_table *from)
{
    static const char *const units[] = {
        [SYNC_PAIR] = "ns/pair",       [SYNC_CALL] = "ns/call",
        [SYNC_SECTIONS] = "M turns/s", [SYNC_READERS] = "M/s",
        [SYNC_PING] = "us/round trip", [SYNC_ROUNDS] = "us/round",
        [SYNC_IDLE] = "us of CPU",
    };

    return from->unit != NULL ? from->unit : units[from->job];
}

static const struct sync_load *
load_of(const struct sync_table *from, unsigned threads)
{
    struct sync_load *load = must_have(1, sizeof(*load));
    const unsigned outside = sync_loops_of(from->outside_ns);

    *load = (struct sync_load){
        .threads = threads,
        .inside_loops = sync_loops_of(from->inside_ns),
        .outside_loops = outside,
        .jitter_loops = outside * from->jitter_percent / 100,
        .write_percent = from->write_percent,
        .place = from->place,
        .job = from->job,
        .in_us = from->unit != NULL && strncmp(from->unit, "us", 2) == 0,
    };
    return load;
}

static void
add_rows(struct bench_table *t, const struct sync_variant *v, const char *only)
{
    for (; v->name != NULL; v++) {
        if (only != NULL && strstr(v->name, only) == NULL)
            continue;
        if (SANITIZED_THREADS && v->unseen)
            continue;
        bench_row(t, &(struct bench_row){.name = v->name,
                                         .note = v->note,
                                         .rival = v->rival,
                                         .baseline = v->baseline,
                                         .subject = v});
    }
}

/* `several`: the name and the title say how many threads. */
static void
add_table(struct bench_run *run, const struct sync_table *from,
          unsigned threads, bool several, const struct options *o)
{
    char *name = several ? bench_text("%s-%u", from->name, threads)
                         : bench_text("%s", from->name);
    const char *wanted = options_extra(o, "table");

    if (wanted != NULL && strstr(name, wanted) == NULL) {
        free(name);
        return;
    }
    struct bench_table *t = bench_table(
        run,
        &(struct bench_table){
            .name = name,
            .title = several ? bench_text("%s, %u thread%s", from->title,
                                          threads, threads > 1 ? "s" : "")
                             : bench_text("%s", from->title),
            .unit = unit_of(from),
            .less_is_better =
                from->job != SYNC_SECTIONS && from->job != SYNC_READERS,
            .has_turns = several && threads > 1 && from->job != SYNC_ROUNDS,
            .has_switches = threads > 1 && from->job != SYNC_IDLE,
            .weight = from->weight > 0 ? from->weight : 1,
            .measure = sync_measure,
            .load = load_of(from, threads)});
    add_rows(t, from->variants, options_extra(o, "only"));
    if (from->more != NULL)
        add_rows(t, from->more, options_extra(o, "only"));
}

static void
add_tables(struct bench_run *run, const struct sync_table *from,
           const struct options *o)
{
    const bool any = takes_any_number(from->job);
    const bool said = any && o->thread_counts > 0;
    const unsigned *threads = said ? o->threads : from->threads;
    const size_t count = said ? o->thread_counts : SYNC_COUNTS;

    if (from->job == SYNC_PING || from->job == SYNC_IDLE) {
        add_table(run, from, 2, false, o);
        return;
    }
    for (size_t i = 0; i < count && threads[i] > 0; i++)
        add_table(run, from, threads[i], any, o);
}

enum outcome
sync_bench_run(const char *what, const struct sync_table *tables,
               const struct options *o, struct report *r)
{
    struct bench_run run;

    bench_begin(&run, what, o, r, DURATION_S, ROUNDS);
    for (const struct sync_table *t = tables; t->name != NULL; t++)
        add_tables(&run, t, o);
    return bench_run_scenario(&run, "threads as the tables say");
}

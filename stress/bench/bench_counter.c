/* SPDX-License-Identifier: MIT */
/*
 * bench_counter.c - `weft-stress bench counter`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/counter.h"
#include "bench/scenario_run.h"
#include "bench/text.h"
#include "memory.h"
#include "scenario.h"

#define DURATION_S 25
#define ROUNDS     7

static void
add_rows(struct bench_table *t, const char *only)
{
    static const struct counter_variant *const all[] = {counter_weft,
                                                        counter_rivals};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (const struct counter_variant *v = all[i]; v->name != NULL; v++) {
            if (only != NULL && strstr(v->name, only) == NULL)
                continue;
            bench_row(t, &(struct bench_row){.name = v->name,
                                             .note = v->note,
                                             .rival = v->rival,
                                             .baseline = v->baseline,
                                             .subject = v});
        }
    }
}

static const struct counter_load *
load_of(bool reads, unsigned threads)
{
    struct counter_load *load = must_have(1, sizeof(*load));

    *load = (struct counter_load){reads, threads};
    return load;
}

static void
add_adds(struct bench_run *run, unsigned threads, const char *only)
{
    struct bench_table *t = bench_table(
        run, &(struct bench_table){.name = bench_text("adds-%u", threads),
                                   .title = bench_text("%u thread%s", threads,
                                                       threads > 1 ? "s" : ""),
                                   .unit = "M adds/s",
                                   .has_turns = threads > 1,
                                   .has_latency = true,
                                   .weight = 1.5,
                                   .measure = counter_measure,
                                   .load = load_of(false, threads)});
    add_rows(t, only);
}

static void
add_reads(struct bench_run *run, unsigned threads, const char *only)
{
    struct bench_table *t = bench_table(
        run, &(struct bench_table){
                 .name = bench_text("sums"),
                 .title = bench_text("reading the sum, %u thread%s "
                                     "have counted",
                                     threads, threads > 1 ? "s" : ""),
                 .unit = "ns/sum",
                 .less_is_better = true,
                 .weight = 0.5,
                 .measure = counter_measure,
                 .load = load_of(true, threads)});
    add_rows(t, only);
}

/* Add the tables; return the thread counts in words. */
static char *
add_tables(struct bench_run *run, const struct options *o, bool reads)
{
    static const unsigned usual[] = {1, 2, 4, 8};
    const char *only = options_extra(o, "only");
    const bool said = o->thread_counts > 0;
    const unsigned *threads = said ? o->threads : usual;
    const size_t count =
        said ? o->thread_counts : sizeof(usual) / sizeof(usual[0]);
    unsigned most = 0;
    char words[256] = "threads";

    for (size_t i = 0; i < count; i++) {
        const size_t at = strlen(words);
        snprintf(words + at, sizeof(words) - at, "%s%u", i > 0 ? "," : " ",
                 threads[i]);
        most = threads[i] > most ? threads[i] : most;
        add_adds(run, threads[i], only);
    }
    if (reads)
        add_reads(run, most, only);
    return must_copy(words);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    struct bench_run run;

    bench_begin(&run, "bench counter", o, r, DURATION_S, ROUNDS);
    char *words = add_tables(&run, o, true);
    const enum outcome outcome = bench_run_scenario(&run, words);
    free(words);
    return outcome;
}

size_t
bench_quick_counter(const struct options *o, struct report *r, double seconds,
                    struct bench_quick *rows, size_t max)
{
    struct bench_run run;

    bench_begin_quick(&run, o, r, seconds);
    free(add_tables(&run, o, false));
    return bench_run_quick(&run, rows, max);
}

static const struct extra extras[] = {
    {"only", "TEXT", "only variants whose names have this in them", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct scenario bench_counter = {
    .command = "bench",
    .name = "counter",
    .summary = "counters under contention, and the cost of reading them",
    .run = run,
    .extras = extras,
};

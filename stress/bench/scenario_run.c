/* SPDX-License-Identifier: MIT */
/*
 * scenario_run.c - a bench from its tables to its outcome.
 */
#include <stdio.h>

#include "bench/scenario_run.h"
#include "progress.h"

#define QUICK_ROUNDS 3

static bool
has_rows(const struct bench_run *run)
{
    for (size_t i = 0; i < run->table_count; i++)
        if (run->tables[i].row_count > 0)
            return true;
    return false;
}

enum outcome
bench_run_scenario(struct bench_run *run, const char *threads)
{
    enum outcome outcome = OUTCOME_OK;

    if (!has_rows(run)) {
        fflush(stdout);
        complain("%s: nothing to measure: no variant fits", run->what);
        outcome = OUTCOME_USAGE;
    } else {
        bench_header(run, threads);
        if (bench_measure(run))
            bench_print(run);
    }
    bench_end(run);
    return outcome;
}

size_t
bench_run_quick(struct bench_run *run, struct bench_quick *rows, size_t max)
{
    size_t count = 0;

    if (run->table_count > 0 && bench_measure(run))
        count = run->tables[0].row_count < max ? run->tables[0].row_count : max;
    for (size_t k = 0; k < count; k++) {
        const struct bench_row *first = &run->tables[0].rows[k];
        rows[k] = (struct bench_quick){
            .name = first->name, .rival = first->rival, .ok = true};
    }
    for (size_t i = 0; i < run->table_count && i < OPTIONS_THREADS_MAX; i++) {
        const struct bench_table *t = &run->tables[i];
        const enum bench_state state =
            bench_state_of_table(t, run->rounds, run->least_trip_ns);
        for (size_t k = 0; k < count; k++) {
            const struct bench_summary s = bench_summarize(
                &t->rows[k], run->rounds, state, run->least_trip_ns);
            rows[k].per_second[i] = s.median * 1e6;
            rows[k].ok &= s.fault == NULL;
        }
    }
    bench_end(run);
    return count;
}

void
bench_begin_quick(struct bench_run *run, const struct options *o,
                  struct report *r, double seconds)
{
    bench_begin(run, NULL, o, r, seconds, QUICK_ROUNDS);
    run->duration_s = seconds;
}

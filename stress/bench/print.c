/* SPDX-License-Identifier: MIT */
/*
 * print.c - the tables of a bench.  Each row stands beside the baseline and
 * beside the best of the rivals, so that one look tells who is ahead.
 */
#include "bench/bench.h"

#include <math.h>
#include <string.h>

#define DISTURBED 0.03 /* of the CPUs, in other hands */

/* What all rows of a table are compared with; 0: there is none. */
struct marks {
    enum bench_state state;
    double baseline;
    const char *baseline_name;
    double best;
    const char *best_name;
};

static bool
is_better(const struct bench_table *t, double a, double b)
{
    return t->less_is_better ? a < b : a > b;
}

static struct marks
find_marks(const struct bench_run *run, const struct bench_table *t)
{
    struct marks m = {
        .state = bench_state_of_table(t, run->rounds, run->least_trip_ns)};

    for (size_t i = 0; i < t->row_count; i++) {
        const struct bench_row *row = &t->rows[i];
        const struct bench_summary s =
            bench_summarize(row, run->rounds, m.state, run->least_trip_ns);
        if (s.state != m.state || s.rounds == 0 || s.fault != NULL)
            continue;
        if (row->baseline) {
            m.baseline = s.median;
            m.baseline_name = row->name;
        }
        if (row->rival &&
            (m.best_name == NULL || is_better(t, s.median, m.best))) {
            m.best = s.median;
            m.best_name = row->name;
        }
    }
    return m;
}

static void
columns(struct table *out, const struct bench_table *t)
{
    table_column(out, "variant", NULL);
    table_column(out, "median", t->unit);
    table_column(out, "least", NULL);
    table_column(out, "most", NULL);
    table_column(out, "x baseline", NULL);
    table_column(out, "x best rival", NULL);
    if (t->has_turns)
        table_column(out, "turns", "max/min");
    if (t->has_switches)
        table_column(out, "switches", "/s");
    if (t->has_latency) {
        table_column(out, "p50", "ns");
        table_column(out, "p99", "ns");
        table_column(out, "p99.9", "ns");
        table_column(out, "max", "ns");
    }
    table_column(out, "state", NULL);
    table_column(out, "rounds", NULL);
    table_column(out, "trip", "ns");
}

/* Three digits that count. */
static void
number(struct table *out, double value)
{
    if (value <= 0 || !isfinite(value))
        table_none(out);
    else
        table_real(out, value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

/* How many times better than `mark`: over 1 is ahead in either direction. */
static void
ratio(struct table *out, const struct bench_table *t, double value, double mark)
{
    if (value <= 0 || mark <= 0)
        table_none(out);
    else
        table_real(out, t->less_is_better ? mark / value : value / mark, 2);
}

static void
print_row(const struct bench_run *run, const struct bench_table *t,
          const struct bench_row *row, const struct marks *m, struct table *out)
{
    const struct bench_summary s =
        bench_summarize(row, run->rounds, m->state, run->least_trip_ns);
    const bool comparable = s.state == m->state;

    table_row(out);
    table_text(out, "%s", row->name);
    number(out, s.median);
    number(out, s.least);
    number(out, s.most);
    ratio(out, t, s.median, comparable ? m->baseline : 0);
    ratio(out, t, s.median, comparable ? m->best : 0);
    if (t->has_turns)
        number(out, s.turns);
    if (t->has_switches)
        table_real(out, s.switches, 0);
    for (int p = 0; t->has_latency && p < BENCH_PERCENTILES; p++)
        number(out, s.latency_ns[p]);
    table_text(out, "%s", bench_state_name(s.state));
    table_text(out, "%u/%u", s.rounds, s.of);
    number(out, s.trip_ns);
    if (s.fault != NULL)
        table_verdict(out, VERDICT_FAILED, "%s", s.fault);
    else if (s.rounds == 0)
        table_verdict(out, VERDICT_NOTE, "interrupted before a round of it");
    else if (row->note != NULL)
        table_verdict(out, VERDICT_OK, "%s", row->note);
    else
        table_verdict(out, VERDICT_OK, NULL);
}

static void
say_marks(struct report *r, const struct marks *m)
{
    if (m->baseline_name != NULL && m->best_name != NULL)
        report_say(r, "  baseline: %s; best rival: %s", m->baseline_name,
                   m->best_name);
}

void
bench_print(const struct bench_run *run)
{
    for (size_t i = 0; i < run->table_count; i++) {
        const struct bench_table *t = &run->tables[i];
        const struct marks m = find_marks(run, t);
        struct table *out = report_table(run->report, t->name, t->title);
        columns(out, t);
        for (size_t k = 0; k < t->row_count; k++)
            print_row(run, t, &t->rows[k], &m, out);
        table_end(out);
        say_marks(run->report, &m);
    }
    report_say(run->report,
               "CPU time meanwhile: %.0f %% ours, %.0f %% of other processes, "
               "%.0f %% taken by the host%s",
               100 * run->share.ours, 100 * run->share.others,
               100 * run->share.stolen,
               run->share.others + run->share.stolen > DISTURBED
                   ? "; THE MACHINE WAS NOT QUIET, do not trust the numbers"
                   : "");
}

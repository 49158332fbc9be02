/* SPDX-License-Identifier: MIT */
/*
 * tour.c - what a race is, how it is cured, and what the cures cost, in about
 * thirty seconds.
 *
 * Each part says first what is to be seen and afterwards what was seen; the
 * second is computed from what was measured, and where the measurement says
 * something else than one would expect, the sentence says that.
 */
#include <weft/base.h>
#include <weft/version.h>

#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "memory.h"
#include "progress.h"
#include "race/race.h"
#include "scenario.h"

#define TRIES      5
#define CURE_RUNS  3
#define RACERS     2
#define ADDITIONS  INT64_C(10000000) /* of each racer, if time allows */
#define SECONDS    0.25 /* unless --duration says something else, and then */
#define RACE_CAP   8    /* so many times it is what a run of a race may take, */
#define CONTEST    32   /* and so many what a contest takes */
#define CONTENDERS 8    /* in one contest, at most */
#define BAR        22   /* characters of the longest bar */

struct tour {
    const struct options *options;
    struct report *report;
    double seconds; /* the unit of all times here */
};

/* A bar for `value` where `most` has the longest. */
static void
table_bar(struct table *t, double value, double most)
{
    char bar[BAR + 1];
    size_t length = most > 0 ? (size_t)(value / most * BAR + 0.5) : 0;

    length = length > BAR ? BAR : length;
    length = length == 0 && value > 0 ? 1 : length;
    memset(bar, '#', length);
    bar[length] = '\0';
    table_text(t, "%s", bar);
}

/* What one variant did with a number, over some runs. */
struct account {
    struct race_result runs[TRIES];
    size_t run_count;
    int64_t done; /* over all of them */
    int64_t lost;
    double ns; /* median of an addition: time the whole run took / additions */
};

/* Run the variant `runs` times. */
static bool
race(struct tour *tour, const struct race_variant *v, size_t runs,
     struct account *a)
{
    const struct race_load load = {.threads = RACERS,
                                   .seconds = RACE_CAP * tour->seconds,
                                   .limit = ADDITIONS};
    double ns[TRIES];

    *a = (struct account){.run_count = 0};
    while (a->run_count < runs && !interrupt_came()) {
        struct race_result *one = &a->runs[a->run_count];
        if (!race_measure(v, &load, tour->options, tour->report, one))
            return false;
        ns[a->run_count++] = one->elapsed_s * 1e9 / (double)one->done;
        a->done += one->done;
        a->lost += one->done - one->found;
    }
    a->ns = bench_median(ns, a->run_count);
    return true;
}

static void
say_race(struct report *r, const struct account *a)
{
    char text[2][REPORT_COUNT_BYTES];
    const struct race_result *worst = &a->runs[0];
    size_t wrong = 0;

    for (size_t i = 0; i < a->run_count; i++) {
        const struct race_result *one = &a->runs[i];
        wrong += one->done != one->found;
        if (one->done - one->found > worst->done - worst->found)
            worst = one;
    }
    if (wrong == 0) {
        report_say(r,
                   "Nothing was lost this time.  That is luck, not a promise: "
                   "it takes one switch\n"
                   "from thread to thread between a load and its store.");
        return;
    }
    report_say(r, "%zu of %zu runs came out wrong; the worst lost %s of %s.",
               wrong, a->run_count,
               report_count(text[0], worst->done - worst->found),
               report_count(text[1], worst->done));
    report_say(r, "count++ loads the number, adds 1 and stores the sum.  Two "
                  "threads that load the\n"
                  "same value store the same sum, and one addition is gone; a "
                  "thread stopped in\n"
                  "between takes back, with its late store, all that the "
                  "other did meanwhile.");
}

static bool
show_race(struct tour *tour, struct account *broken)
{
    struct report *r = tour->report;
    char each[REPORT_COUNT_BYTES];

    report_heading(r, "1. A race");
    report_say(r,
               "Two threads do count++ on one number, %s times each.  The "
               "same program,",
               report_count(each, ADDITIONS));
    report_say(r, "run %d times:", TRIES);
    report_say(r, "%s", "");
    if (!race(tour, &race_lost_update_variants[0], TRIES, broken))
        return false;
    struct table *t = report_table(r, "race", NULL);
    table_column(t, "run", NULL);
    table_column(t, "additions", NULL);
    table_column(t, "counted", NULL);
    table_column(t, "lost", NULL);
    table_column(t, "lost part", NULL);
    for (size_t i = 0; i < broken->run_count; i++) {
        const struct race_result *one = &broken->runs[i];
        const int64_t lost = one->done - one->found;
        table_row(t);
        table_count(t, (int64_t)i + 1);
        table_count(t, one->done);
        table_count(t, one->found);
        table_count(t, lost);
        table_bar(t, (double)lost, (double)one->done);
    }
    table_end(t);
    if (broken->done < (int64_t)broken->run_count * RACERS * ADDITIONS)
        report_say(r, "  (a run ends after %.2g s, done or not)",
                   RACE_CAP * tour->seconds);
    report_say(r, "%s", "");
    if (!interrupt_came())
        say_race(r, broken);
    return true;
}

/* What one did compared with another: only what was measured. */
static void
say_ratio(struct report *r, const char *who, double its, const char *other,
          double others)
{
    if (its > others * 1.05)
        report_say(r, "  %-14s did %.1f times as much as %s", who, its / others,
                   other);
    else if (its * 1.05 < others)
        report_say(r, "  %-14s did less than %s here, %.2f of it", who, other,
                   its / others);
    else
        report_say(r, "  %-14s did as much as %s here", who, other);
}

static void
say_cures(struct report *r, const struct account *cures, size_t n)
{
    int64_t lost = 0;
    int64_t done = 0;
    char text[REPORT_COUNT_BYTES];

    for (size_t i = 0; i < n; i++) {
        lost += cures[i].lost != 0;
        done += cures[i].done;
    }
    report_say(r, "%s", "");
    if (lost != 0) {
        report_say(r, "A cure lost updates: that is a bug in Weft, please "
                      "report it.");
        return;
    }
    report_say(r,
               "Nothing was lost in %s additions.  All are right, at "
               "different prices.\n"
               "In the same time",
               report_count(text, done));
    for (size_t i = 1; i < n; i++)
        say_ratio(r, race_lost_update_variants[i + 1].name, 1 / cures[i].ns,
                  "mutex", 1 / cures[0].ns);
}

static void
cure_row(struct table *t, const char *name, const struct account *a,
         double most_ns)
{
    table_row(t);
    table_text(t, "%s", name);
    table_count(t, a->done);
    table_count(t, a->lost);
    table_real(t, a->ns, 2);
    table_bar(t, a->ns, most_ns);
}

static bool
show_cures(struct tour *tour, const struct account *broken)
{
    struct report *r = tour->report;
    struct account cures[RACE_LOST_UPDATE_COUNT - 1];
    double most_ns = broken->ns;
    size_t n = 0;

    report_heading(r, "2. Three cures");
    report_say(r, "The same additions, made so that none can get lost:\n"
                  "  mutex    a lock: one thread at a time\n"
                  "  atomic   one indivisible instruction\n"
                  "  percpu   a number for each CPU, which no other touches; "
                  "summed when read");
    report_say(r, "%s", "");
    for (; n < RACE_LOST_UPDATE_COUNT - 1 && !interrupt_came(); n++) {
        if (!race(tour, &race_lost_update_variants[n + 1], CURE_RUNS,
                  &cures[n]))
            return false;
        most_ns = cures[n].ns > most_ns ? cures[n].ns : most_ns;
    }
    struct table *t = report_table(r, "cures", NULL);
    table_column(t, "cure", NULL);
    table_column(t, "additions", NULL);
    table_column(t, "lost", NULL);
    table_column(t, "each", "ns");
    table_column(t, "time", NULL);
    cure_row(t, "(none)", broken, most_ns);
    for (size_t i = 0; i < n; i++) {
        cure_row(t, race_lost_update_variants[i + 1].name, &cures[i], most_ns);
        if (cures[i].lost == 0)
            table_verdict(t, VERDICT_OK, NULL);
        else
            table_verdict(t, VERDICT_FAILED, "it is to keep every update");
    }
    table_end(t);
    if (!interrupt_came())
        say_cures(r, cures, n);
    return true;
}

/* How variants of one thing did with each number of threads. */
struct contest {
    const char *name; /* of its table */
    const char *what;
    bool is_pairs; /* of as many threads that put as that take */
    size_t (*measure)(const struct options *o, struct report *r, double seconds,
                      struct bench_quick *rows, size_t max);
    struct options options; /* those of the user, and the thread counts */
    struct bench_quick rows[CONTENDERS];
    size_t row_count;
};

/* "4 threads", or of as many that put and that take "2+2 threads". */
static void
print_threads(char *text, size_t size, const struct contest *c, size_t i)
{
    const unsigned n = c->options.threads[i];
    const unsigned each = n > 1 ? n / 2 : 1;

    if (c->is_pairs)
        snprintf(text, size, "%u+%u threads", each, each);
    else
        snprintf(text, size, "%u thread%s", n, n == 1 ? "" : "s");
}

static void
contest_table(struct tour *tour, const struct contest *c)
{
    const size_t last = c->options.thread_counts - 1;
    struct table *t = report_table(tour->report, c->name, NULL);
    double most = 0;
    char head[64];

    table_column(t, c->what, NULL);
    for (size_t k = 0; k <= last; k++) {
        print_threads(head, sizeof(head), c, k);
        table_column(t, head, NULL);
    }
    table_column(t, "the last", NULL);
    for (size_t i = 0; i < c->row_count; i++)
        if (c->rows[i].per_second[last] > most)
            most = c->rows[i].per_second[last];
    for (size_t i = c->row_count; i-- > 0;) {
        table_row(t);
        table_text(t, "%s", c->rows[i].name);
        for (size_t k = 0; k <= last; k++)
            table_real(t, c->rows[i].per_second[k] * 1e-6, 1);
        table_bar(t, c->rows[i].per_second[last], most);
        if (!c->rows[i].ok)
            table_verdict(t, VERDICT_FAILED, "not what went in came out");
    }
    table_end(t);
}

/* How they compare with the most threads, and each with the fewest. */
static void
say_contest(struct tour *tour, const struct contest *c)
{
    const size_t last = c->options.thread_counts - 1;
    const struct bench_quick *mutex = NULL;
    char few[64];
    char many[64];

    print_threads(few, sizeof(few), c, 0);
    print_threads(many, sizeof(many), c, last);
    for (size_t i = 0; i < c->row_count; i++)
        if (strstr(c->rows[i].name, "mutex") != NULL)
            mutex = &c->rows[i];
    report_say(tour->report, "\nWith %s", many);
    for (size_t i = c->row_count; i-- > 0 && mutex != NULL;)
        if (&c->rows[i] != mutex)
            say_ratio(tour->report, c->rows[i].name,
                      c->rows[i].per_second[last], mutex->name,
                      mutex->per_second[last]);
    if (last == 0)
        return;
    report_say(tour->report, "and compared with %s", few);
    for (size_t i = c->row_count; i-- > 0;)
        report_say(tour->report, "  %-14s did %.2f times as much",
                   c->rows[i].name,
                   c->rows[i].per_second[last] / c->rows[i].per_second[0]);
}

/* Measure one kind of object, show it, and say how its variants compare. */
static bool
contest(struct tour *tour, struct contest *c, const unsigned *threads,
        size_t count)
{
    static const struct extra only = {.name = "only", .argument = "TEXT"};
    struct options *o = &c->options;

    *o = *tour->options;
    o->extras[0].extra = &only;
    o->extras[0].value = "weft";
    o->extra_count = 1;
    if (o->thread_counts == 0) {
        memcpy(o->threads, threads, count * sizeof(*threads));
        o->thread_counts = count;
    }
    c->row_count = c->measure(o, tour->report, CONTEST * tour->seconds, c->rows,
                              CONTENDERS);
    if (c->row_count == 0)
        return false;
    if (!interrupt_came()) {
        contest_table(tour, c);
        say_contest(tour, c);
    }
    return true;
}

static bool
show_contention(struct tour *tour)
{
    static const unsigned threads[] = {1, 2, 4, 8};
    struct report *r = tour->report;
    struct contest counters = {
        .name = "counters", .what = "counter", .measure = bench_quick_counter};
    struct contest rings = {.name = "rings",
                            .what = "ring",
                            .is_pairs = true,
                            .measure = bench_quick_ring};

    report_heading(r, "3. Contention");
    report_say(r, "More and more threads use one object and do nothing else.  "
                  "Below: million\n"
                  "operations a second, all threads together.");
    if (weft_cpu_count() == 1)
        report_say(r, "(With one CPU the threads take turns, and there is "
                      "little contention to see.)");
    report_say(r, "%s", "");
    if (!contest(tour, &counters, threads, 4))
        return false;
    report_say(r,
               "\nA ring passes items from thread to thread, first in, first "
               "out.  Half of the\n"
               "threads put items in, half take them out.\n"
               "  mutex      under a lock\n"
               "  lockless   without one; a thread stopped half-way can hold "
               "up others\n"
               "  lock-free  a thread stopped anywhere stops nobody else\n");
    return contest(tour, &rings, threads + 1, 3);
}

static void
say_what_next(struct report *r)
{
    report_heading(r, "What next");
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, "tour") != 0)
            report_say(r, "  weft-stress %-12s %s", commands[i].name,
                       commands[i].summary);
    }
    report_say(r, "  weft-stress %-12s every scenario with one line", "list");
    report_say(r, "  %-24s a page for each thing the library has",
               "man weft_ring");
}

static enum outcome
run(const struct options *o, struct report *r)
{
    struct tour tour = {.options = o,
                        .report = r,
                        .seconds = o->duration_s > 0 ? o->duration_s : SECONDS};
    const unsigned cpus = weft_cpu_count();
    struct account broken;

    report_say(r, "Weft %s on %u CPU%s: half a minute with threads.",
               weft_version(), cpus, cpus == 1 ? "" : "s");
    const bool done = show_race(&tour, &broken) &&
                      (interrupt_came() || show_cures(&tour, &broken)) &&
                      (interrupt_came() || show_contention(&tour));
    if (done && !interrupt_came())
        say_what_next(r);
    return done ? OUTCOME_OK : OUTCOME_FAILED;
}

const struct scenario tour = {
    .command = "tour",
    .summary = "a race, its three cures, contention: in half a minute",
    .run = run,
};

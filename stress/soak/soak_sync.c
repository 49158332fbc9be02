/* SPDX-License-Identifier: MIT */
/*
 * soak_sync.c - `weft-stress soak sync`: what locks and wake-ups promise, one
 * primitive after another, each in many threads for a share of the time.
 *
 * A library built with --enable-sched draws what its schedule points do from
 * the same seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "progress.h"
#include "scenario.h"
#include "soak/sync.h"

#define DURATION_S  60
#define PATIENCE_S  10
#define THREADS     8
#define WORDS_BYTES 128
#define NAMES \
    "mutex,rmutex,rwlock,semaphore,event,cond,rcond,barrier,once,thread,timer"

extern const struct soak_subject soak_barrier;
extern const struct soak_subject soak_cond;
extern const struct soak_subject soak_event;
extern const struct soak_subject soak_mutex;
extern const struct soak_subject soak_once;
extern const struct soak_subject soak_rcond;
extern const struct soak_subject soak_rmutex;
extern const struct soak_subject soak_rwlock;
extern const struct soak_subject soak_semaphore;
extern const struct soak_subject soak_thread;
extern const struct soak_subject soak_timer;

const struct soak_subject *const soak_subjects[] = {
    &soak_mutex, &soak_rmutex, &soak_rwlock, &soak_semaphore,
    &soak_event, &soak_cond,   &soak_rcond,  &soak_barrier,
    &soak_once,  &soak_thread, &soak_timer,
};
const size_t soak_subject_count =
    sizeof(soak_subjects) / sizeof(soak_subjects[0]);

static const struct extra extras[] = {
    {.name = "only",
     .argument = "LIST",
     .help = "which: " NAMES,
     .words = NAMES},
    {.name = NULL},
};

/* "locked 123 456, gave up 78" */
static void
tallies_in_words(const struct soak_subject *s, const struct soak_result *got,
                 char words[WORDS_BYTES])
{
    char count[REPORT_COUNT_BYTES];
    size_t used = 0;

    words[0] = '\0';
    for (int k = 0; k < SOAK_TALLIES && s->tallies[k] != NULL; k++) {
        const int n = snprintf(words + used, WORDS_BYTES - used, "%s%s %s",
                               k > 0 ? ", " : "", s->tallies[k],
                               report_count(count, (int64_t)got->tally[k]));
        used += (size_t)n < WORDS_BYTES - used ? (size_t)n : 0;
    }
}

static void
add_row(struct table *t, const struct soak_subject *s,
        const struct soak_result *got)
{
    char words[WORDS_BYTES];

    tallies_in_words(s, got, words);
    table_row(t);
    table_text(t, "%s", s->name);
    table_count(t, got->threads);
    table_count(t, (int64_t)got->turns);
    table_real(t, got->elapsed_s, 1);
    table_text(t, "%s", words);
    if (got->fault[0] != '\0')
        table_verdict(t, VERDICT_FAILED, "%s", got->fault);
    else
        table_verdict(t, VERDICT_OK, NULL);
}

/* What is to be run, and what came of it. */
struct soak {
    const struct options *o;
    struct report *report;
    struct table *table;
    struct soak_plan plan;
    unsigned held;
    unsigned failed;
    uint64_t turns;
    double elapsed_s;
    char *where; /* of all that did not get on; NULL: none */
};

/* Soak one primitive; false: the user wants no more. */
static bool
soak_one(struct soak *k, const struct soak_subject *s, unsigned threads)
{
    struct soak_result got;

    k->plan.threads = threads;
    progress_begin(s->name, k->plan.seconds);
    soak_run(s, &k->plan, &got);
    progress_end();
    add_row(k->table, s, &got);
    if (got.fault[0] == '\0')
        k->held++;
    else
        k->failed++;
    k->turns += got.turns;
    k->elapsed_s += got.elapsed_s;
    if (got.where != NULL && k->where == NULL)
        k->where = got.where;
    else
        free(got.where);
    return !got.stopped;
}

/* How many rows there will be. */
static unsigned
count_rows(const struct options *o, size_t counts)
{
    unsigned rows = 0;

    for (size_t i = 0; i < soak_subject_count; i++)
        rows += options_include(o, "only", soak_subjects[i]->name);
    return rows * (unsigned)counts;
}

static struct table *
begin_table(struct report *r)
{
    struct table *t = report_table(r, "sync", NULL);

    table_column(t, "primitive", NULL);
    table_column(t, "threads", NULL);
    table_column(t, "turns", NULL);
    table_column(t, "time", "s");
    table_column(t, "what", NULL);
    return t;
}

static void
say_verdict(const struct soak *k)
{
    char turns[REPORT_COUNT_BYTES];

    if (k->where != NULL)
        report_say(k->report, "%s", k->where);
    report_say(k->report,
               "soak sync: %s: %u held, %u failed, %s turns in "
               "%.0f s, seed 0x%llx",
               k->failed > 0 ? "FAILED" : "ok", k->held, k->failed,
               report_count(turns, (int64_t)k->turns), k->elapsed_s,
               (unsigned long long)k->o->seed);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    const unsigned one = THREADS;
    const unsigned *threads = o->thread_counts > 0 ? o->threads : &one;
    const size_t counts = o->thread_counts > 0 ? o->thread_counts : 1;
    const double all_s = o->duration_s > 0 ? o->duration_s : DURATION_S;
    struct soak k = {
        .o = o,
        .report = r,
        .plan = {.seconds = all_s / count_rows(o, counts),
                 .patience_s = PATIENCE_S,
                 .seed = o->seed},
    };
    char seed[32];
    bool more = true;

    snprintf(seed, sizeof(seed), "0x%llx", (unsigned long long)o->seed);
    setenv("WEFT_SCHED_SEED", seed, 0);
    report_say(r,
               "%.1f s for each; a thread that makes no turn for %d s has "
               "lost a wake-up.",
               k.plan.seconds, PATIENCE_S);
    k.table = begin_table(r);
    for (size_t i = 0; i < counts; i++)
        for (size_t n = 0; n < soak_subject_count && more; n++)
            if (options_include(o, "only", soak_subjects[n]->name))
                more = soak_one(&k, soak_subjects[n], threads[i]);
    table_end(k.table);
    say_verdict(&k);
    free(k.where);
    return report_outcome(r);
}

const struct scenario soak_sync = {
    .command = "soak",
    .name = "sync",
    .summary = "locks and wake-ups by many threads: does what they promise "
               "hold?",
    .run = run,
    .extras = extras,
};

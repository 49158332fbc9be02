/* SPDX-License-Identifier: MIT */
/*
 * soak_counter.c - many threads add to a counter, very often; is one addition
 * lost?
 *
 * What the threads add differs by thread and step, so that a lost addition
 * cannot be made up for by one counted twice.  One thread takes the sum away
 * now and then: what all resets and the last sum return must come to what was
 * added.
 */
#include <weft/counter.h>

#include <stdlib.h>

#include "memory.h"
#include "scenario.h"
#include "workers.h"

#define THREADS 8
#define ADDS    1000000000ll
#define BATCH   1024 /* between looks at the clock */
#define RESETS  64   /* batches of the first thread between two resets */

struct tally {
    _Alignas(128) int64_t adds;
    int64_t sum;   /* of what it added */
    int64_t taken; /* by its resets */
};

struct job {
    weft_counter *counter;
    int64_t adds; /* of each thread */
    struct tally *tallies;
};

static const struct kind {
    const char *name;
    enum weft_counter_kind kind;
} kinds[] = {
    {"percpu", WEFT_COUNTER_PERCPU},
    {"atomic", WEFT_COUNTER_ATOMIC},
    {"mutex", WEFT_COUNTER_MUTEX},
};

static bool
is_count(const char *text)
{
    unsigned out;

    return options_counts(text, 1u << 31, &out, 1) == 1;
}

static const struct extra extras[] = {
    {.name = "adds",
     .argument = "N",
     .help = "additions of each kind, in millions; 1000",
     .valid = is_count},
    {.name = "kind",
     .argument = "LIST",
     .help = "which: percpu,atomic,mutex",
     .words = "percpu,atomic,mutex"},
    {.name = NULL},
};

static void
add(struct worker *w)
{
    struct job *job = w->shared;
    const int64_t step = (int64_t)w->index % 3 - 1; /* -1, 0, 1 */
    struct tally mine = {.adds = 0};

    for (int64_t batch = 0; mine.adds < job->adds; batch++) {
        const int64_t left = job->adds - mine.adds;
        const int64_t n = left < BATCH ? left : BATCH;
        for (int64_t i = 0; i < n; i++) {
            weft_counter_add(job->counter, step + (i & 3));
            mine.sum += step + (i & 3);
        }
        mine.adds += n;
        if (w->index == 0 && batch % RESETS == 0)
            mine.taken += weft_counter_reset(job->counter);
        if (worker_is_stopped(w))
            break;
    }
    job->tallies[w->index] = mine;
}

/* Soak one kind and write its row; false if the run cannot go on. */
static bool
soak(const struct kind *k, unsigned threads, int64_t adds,
     const struct options *o, struct report *r, struct table *t)
{
    struct job job = {.adds = (adds + threads - 1) / threads};
    const enum weft_status s = weft_counter_create(&job.counter, k->kind);

    if (s != WEFT_OK) {
        report_abandon(r, "%s: cannot create the counter: %s", k->name,
                       weft_status_text(s));
        return false;
    }
    job.tallies = must_have(threads, sizeof(job.tallies[0]));
    struct crew crew = {.threads = threads,
                        .seconds = o->duration_s,
                        .pin = o->pin,
                        .seed = o->seed,
                        .body = add,
                        .shared = &job,
                        .what = k->name};
    const bool ran = crew_run(&crew, r);

    struct tally all = {.taken = weft_counter_sum(job.counter)};
    for (unsigned i = 0; i < threads; i++) {
        all.adds += job.tallies[i].adds;
        all.sum += job.tallies[i].sum;
        all.taken += job.tallies[i].taken;
    }
    if (ran) {
        table_row(t);
        table_text(t, "%s", k->name);
        table_count(t, threads);
        table_count(t, all.adds);
        table_count(t, all.sum);
        table_count(t, all.taken);
        table_count(t, all.sum - all.taken);
        table_real(t, (double)all.adds / crew.elapsed_s * 1e-6, 1);
        table_verdict(t, all.sum == all.taken ? VERDICT_OK : VERDICT_FAILED,
                      NULL);
    }
    weft_counter_destroy(job.counter);
    free(job.tallies);
    return ran;
}

static enum outcome
run(const struct options *o, struct report *r)
{
    const char *millions = options_extra(o, "adds");
    const int64_t adds =
        millions != NULL ? strtoll(millions, NULL, 10) * 1000000 : ADDS;
    const unsigned one = THREADS;
    const unsigned *threads = o->thread_counts > 0 ? o->threads : &one;
    const size_t counts = o->thread_counts > 0 ? o->thread_counts : 1;

    report_say(r, "Threads add, and take the sum away; nothing may be lost.");
    struct table *t = report_table(r, "soak", NULL);
    table_column(t, "kind", NULL);
    table_column(t, "threads", NULL);
    table_column(t, "adds", NULL);
    table_column(t, "added", NULL);
    table_column(t, "counted", NULL);
    table_column(t, "lost", NULL);
    table_column(t, "rate", "M/s");
    for (size_t i = 0; i < counts; i++)
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            if (options_include(o, "kind", kinds[k].name) &&
                !soak(&kinds[k], threads[i], adds, o, r, t))
                return OUTCOME_FAILED;
    table_end(t);
    return report_outcome(r);
}

const struct scenario soak_counter = {
    .command = "soak",
    .name = "counter",
    .summary = "a thousand million additions of each kind: is one lost?",
    .run = run,
    .extras = extras,
};

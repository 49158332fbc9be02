/* SPDX-License-Identifier: MIT */
/*
 * race.c - runs the variants of a race and compares what the workers did with
 * what the number says.
 *
 * Each worker counts its own updates in a cell nobody else writes, so the sum
 * of these cells is exact whatever happens to the number.  The difference is
 * what was lost; nothing is estimated.
 */
#include "race/race.h"

#include <stdlib.h>

#include "memory.h"
#include "progress.h"

#define SECONDS 0.5

const struct extra race_extras[] = {
    {.name = "variant",
     .argument = "LIST",
     .help = "which: broken,mutex,atomic,percpu",
     .words = "broken,mutex,atomic,percpu"},
    {.name = NULL},
};

bool
race_measure(const struct race_variant *v, const struct race_load *load,
             const struct options *o, struct report *r,
             struct race_result *result)
{
    struct race_job *job = must_have(1, sizeof(*job));
    char what[80];

    if (v->uses_counter) {
        const enum weft_status s = weft_counter_create(&job->counter, v->kind);
        if (s != WEFT_OK) {
            report_abandon(r, "%s: cannot create the counter: %s", v->name,
                           weft_status_text(s));
            free(job);
            return false;
        }
    }
    atomic_init(&job->word, 0);
    pthread_mutex_init(&job->lock, NULL);
    job->limit = load->limit > 0 ? load->limit : INT64_MAX;
    job->tallies = must_have(load->threads, sizeof(struct race_tally));
    snprintf(what, sizeof(what), "%s, %u threads", v->name, load->threads);
    struct crew crew = {.threads = load->threads,
                        .seconds = load->seconds,
                        .pin = o->pin,
                        .seed = o->seed,
                        .body = v->body,
                        .shared = job,
                        .what = what};
    const bool ran = crew_run(&crew, r);
    *result = (struct race_result){.elapsed_s = crew.elapsed_s};
    for (unsigned i = 0; i < load->threads; i++)
        result->done += job->tallies[i].done;
    result->found =
        v->uses_counter
            ? weft_counter_sum(job->counter)
            : atomic_load_explicit(&job->word, memory_order_relaxed);
    weft_counter_destroy(job->counter);
    pthread_mutex_destroy(&job->lock);
    free(job->tallies);
    free(job);
    return ran;
}

void
race_columns(struct table *t)
{
    table_column(t, "variant", NULL);
    table_column(t, "threads", NULL);
    table_column(t, "updates made", NULL);
    table_column(t, "found", NULL);
    table_column(t, "lost", NULL);
    table_column(t, "lost part", "%");
    table_column(t, "rate", "M/s");
}

void
race_row(struct table *t, const struct race_variant *v, unsigned threads,
         const struct race_result *result)
{
    const int64_t lost = result->done - result->found;
    const double done = (double)result->done;

    table_row(t);
    table_text(t, "%s", v->name);
    table_count(t, threads);
    table_count(t, result->done);
    table_count(t, result->found);
    table_count(t, lost);
    table_real(t, 100 * (double)lost / done, 1);
    table_real(t, done / result->elapsed_s * 1e-6, 1);
    if (v->is_broken)
        table_verdict(t, VERDICT_NOTE,
                      lost == 0 ? "lost none this time" : NULL);
    else if (lost == 0)
        table_verdict(t, VERDICT_OK, NULL);
    else
        table_verdict(t, VERDICT_FAILED, "it is to keep every update");
}

/* Say what the broken variant showed, and only that. */
static void
say_what_was_seen(struct report *r, unsigned threads,
                  const struct race_result *broken)
{
    char lost[REPORT_COUNT_BYTES];
    char done[REPORT_COUNT_BYTES];

    report_count(lost, broken->done - broken->found);
    report_count(done, broken->done);
    if (broken->done != broken->found)
        report_say(r, "broken, %u threads: lost %s of %s updates.", threads,
                   lost, done);
    else if (threads == 1)
        report_say(r,
                   "broken, 1 thread: lost none of %s updates; a race takes "
                   "two.",
                   done);
    else
        report_say(r,
                   "broken, %u threads: lost none of %s updates this time; "
                   "that does not make it right.",
                   threads, done);
}

/* As race_measure, over all rounds. */
static bool
measure_rounds(const struct race_variant *v, unsigned threads,
               const struct options *o, struct report *r,
               struct race_result *sum)
{
    const struct race_load load = {.threads = threads,
                                   .seconds = o->duration_s > 0 ? o->duration_s
                                                                : SECONDS};
    const unsigned rounds = o->rounds > 0 ? o->rounds : 1;

    *sum = (struct race_result){0};
    for (unsigned i = 0; i < rounds && !interrupt_came(); i++) {
        struct race_result result;
        if (!race_measure(v, &load, o, r, &result))
            return false;
        sum->done += result.done;
        sum->found += result.found;
        sum->elapsed_s += result.elapsed_s;
    }
    return true;
}

enum outcome
race_run(const struct race_variant *variants, size_t count,
         const struct options *o, struct report *r)
{
    static const unsigned two = 2;
    const unsigned *threads = o->thread_counts > 0 ? o->threads : &two;
    const size_t counts = o->thread_counts > 0 ? o->thread_counts : 1;
    struct race_result *broken = must_have(counts, sizeof(*broken));
    struct table *t = report_table(r, "updates", NULL);
    bool ran = true;

    race_columns(t);
    for (size_t i = 0; i < counts * count && ran && !interrupt_came(); i++) {
        const struct race_variant *v = &variants[i % count];
        struct race_result result;
        if (!options_include(o, "variant", v->name))
            continue;
        ran = measure_rounds(v, threads[i / count], o, r, &result);
        if (ran)
            race_row(t, v, threads[i / count], &result);
        if (ran && v->is_broken)
            broken[i / count] = result;
    }
    if (ran) {
        table_end(t);
        for (size_t i = 0; i < counts; i++)
            if (broken[i].done > 0)
                say_what_was_seen(r, threads[i], &broken[i]);
    }
    free(broken);
    return ran ? OUTCOME_OK : OUTCOME_FAILED;
}

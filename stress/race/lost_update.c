/* SPDX-License-Identifier: MIT */
/*
 * lost_update.c - what `count++` does when two threads do it.
 *
 * The processor loads the word, adds one and stores it.  When two threads load
 * the same value, both store the same sum, and one update is gone; when one is
 * stopped between its load and its store, its store undoes all that the others
 * did meanwhile.
 *
 *     thread 1: load 7           store 8
 *     thread 2:        load 7             store 8     two updates, one counted
 *
 * Written as `count++` on a plain long this is a data race, of which C says
 * nothing at all: a compiler may then keep the sum in a register for the whole
 * loop.  A relaxed load and a relaxed store apart are what the hardware does
 * for `count++`, in words whose meaning C defines.
 *
 * Ordering.  A number that is counted carries no other data: all is relaxed.
 */
#include "race/race.h"

static void
add_broken(struct worker *w)
{
    struct race_job *job = w->shared;
    int64_t done = 0;

    do {
        for (int i = 0; i < RACE_BATCH; i++) {
            const int64_t v =
                atomic_load_explicit(&job->word, memory_order_relaxed);
            atomic_store_explicit(&job->word, v + 1, memory_order_relaxed);
        }
        done += RACE_BATCH;
    } while (!race_is_over(w, done));
    job->tallies[w->index].done = done;
}

static void
add_to_counter(struct worker *w)
{
    struct race_job *job = w->shared;
    int64_t done = 0;

    do {
        for (int i = 0; i < RACE_BATCH; i++)
            weft_counter_add(job->counter, 1);
        done += RACE_BATCH;
    } while (!race_is_over(w, done));
    job->tallies[w->index].done = done;
}

const struct race_variant race_lost_update_variants[RACE_LOST_UPDATE_COUNT] = {
    {"broken", true, add_broken, false, WEFT_COUNTER_MUTEX},
    {"mutex", false, add_to_counter, true, WEFT_COUNTER_MUTEX},
    {"atomic", false, add_to_counter, true, WEFT_COUNTER_ATOMIC},
    {"percpu", false, add_to_counter, true, WEFT_COUNTER_PERCPU},
};

static enum outcome
run(const struct options *o, struct report *r)
{
    report_say(r, "Threads add 1 to the same number, over and over.");
    report_say(r, "  broken   as count++ does it: load, add, store");
    report_say(r, "  mutex    one thread at a time");
    report_say(r, "  atomic   in one indivisible instruction");
    report_say(r, "  percpu   a number for each CPU, summed when it is read");
    return race_run(race_lost_update_variants, RACE_LOST_UPDATE_COUNT, o, r);
}

const struct scenario race_lost_update = {
    .command = "race",
    .name = "lost-update",
    .summary = "count++ in several threads, and three ways to keep the count",
    .run = run,
    .extras = race_extras,
};

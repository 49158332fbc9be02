/* SPDX-License-Identifier: MIT */
/*
 * read_modify_write.c - load, work out a new value, store: apart.
 *
 * The longer the work between the load and the store, the more updates of
 * others the store overwrites: this is the bug as it looks in a program, where
 * the two ends are lines apart.
 *
 *     old = total;
 *     new = some_work(old);       <- whatever others store here
 *     total = new;                <- is gone from here on
 *
 * Three cures, and what each asks for:
 *
 *     mutex    the lock is held from the load to the store, the work included
 *     atomic   a compare-and-exchange that stores only if the word is still
 *              what was loaded, else the work is done again
 *     percpu   no load at all: what is added does not depend on the old sum
 *
 * Ordering.  As in lost_update.c all is relaxed; the mutex brings its own.
 */
#include "race/race.h"

#define WINDOW_STEPS 64 /* at most, of a few cycles each */

/* Work between the load and the store: a random time, and one more. */
static inline int64_t
work(struct prng *random, int64_t old)
{
    struct prng local = *random;
    uint64_t sum = 0;

    for (uint32_t n = prng_below(random, WINDOW_STEPS); n > 0; n--)
        sum += prng_next(&local);
    /* No instruction: it makes the result wait for the sum, which is thus
     * computed, and between the load and the store. */
    __asm__("" : "+r"(old) : "r"(sum));
    return old + 1;
}

static inline int64_t
load(struct race_job *job)
{
    return atomic_load_explicit(&job->word, memory_order_relaxed);
}

static inline void
store(struct race_job *job, int64_t v)
{
    atomic_store_explicit(&job->word, v, memory_order_relaxed);
}

static inline void
update_broken(struct race_job *job, struct prng *random)
{
    store(job, work(random, load(job)));
}

static inline void
update_mutex(struct race_job *job, struct prng *random)
{
    pthread_mutex_lock(&job->lock);
    store(job, work(random, load(job)));
    pthread_mutex_unlock(&job->lock);
}

static inline void
update_atomic(struct race_job *job, struct prng *random)
{
    int64_t old = load(job);

    while (!atomic_compare_exchange_weak_explicit(
        &job->word, &old, work(random, old), memory_order_relaxed,
        memory_order_relaxed))
        continue;
}

static inline void
update_percpu(struct race_job *job, struct prng *random)
{
    weft_counter_add(job->counter, work(random, 0));
}

/* The loop is the same for each, and the update inlined into it. */
static inline void
repeat(struct worker *w, void (*update)(struct race_job *, struct prng *))
{
    struct race_job *job = w->shared;
    int64_t done = 0;

    do {
        for (int i = 0; i < RACE_BATCH; i++)
            update(job, &w->random);
        done += RACE_BATCH;
    } while (!race_is_over(w, done));
    job->tallies[w->index].done = done;
}

static void
broken(struct worker *w)
{
    repeat(w, update_broken);
}

static void
mutex(struct worker *w)
{
    repeat(w, update_mutex);
}

static void
atomic(struct worker *w)
{
    repeat(w, update_atomic);
}

static void
percpu(struct worker *w)
{
    repeat(w, update_percpu);
}

static const struct race_variant variants[] = {
    {"broken", true, broken, false, WEFT_COUNTER_MUTEX},
    {"mutex", false, mutex, false, WEFT_COUNTER_MUTEX},
    {"atomic", false, atomic, false, WEFT_COUNTER_ATOMIC},
    {"percpu", false, percpu, true, WEFT_COUNTER_PERCPU},
};

static enum outcome
run(const struct options *o, struct report *r)
{
    report_say(r, "Threads load a number, work on what they loaded, and store "
                  "the result, plus 1.");
    report_say(r, "  broken   the load, the work and the store apart");
    report_say(r, "  mutex    a lock held from the load to the store");
    report_say(r, "  atomic   stored only if nobody else has stored since the "
                  "load, else all over again");
    report_say(r, "  percpu   no load: the sum is not needed to add to it");
    return race_run(variants, sizeof(variants) / sizeof(variants[0]), o, r);
}

const struct scenario race_read_modify_write = {
    .command = "race",
    .name = "read-modify-write",
    .summary = "load, work, store apart: the longer the work, the more is lost",
    .run = run,
    .extras = race_extras,
};

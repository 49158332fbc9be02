/* SPDX-License-Identifier: MIT */
/*
 * sync_frame.c - the threads of a soak, and the watch over them.
 *
 * Patience is counted in looks a tenth of a second apart, not by the clock: a
 * machine that stops as a whole has lost nothing.
 *
 * Ordering.  Threads that are not joined are still summed up:
 *
 *     end   the body has returned  ->  its tallies are read
 *
 * The turns, the places and the flags carry no data and are relaxed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "progress.h"
#include "soak/sync.h"

#define LOOK_US   100000
#define LOOKS_S   10
#define SPIN_US   1000
#define WHO_BYTES 96

void
soak_fault(struct soak_run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    pthread_mutex_lock(&run->lock);
    if (run->fault[0] == '\0')
        vsnprintf(run->fault, sizeof(run->fault), format, arguments);
    pthread_mutex_unlock(&run->lock);
    va_end(arguments);
    atomic_store_explicit(&run->failed, true, memory_order_relaxed);
    atomic_store_explicit(&run->stop, true, memory_order_relaxed);
}

static void *
work(void *argument)
{
    struct soak_hand *h = argument;

    atomic_store_explicit(&h->tid, gettid(), memory_order_relaxed);
    while (!atomic_load_explicit(&h->run->go, memory_order_relaxed))
        usleep(SPIN_US);
    h->run->subject->body(h);
    soak_at(h, "its end");
    /* release: end */
    atomic_store_explicit(&h->ended, true, memory_order_release);
    return NULL;
}

static bool
has_ended(const struct soak_hand *h)
{
    /* acquire: end */
    return atomic_load_explicit(&h->ended, memory_order_acquire);
}

/* Where each thread is; it may go on meanwhile. */
static char *
where_all_are(struct soak_run *run, const unsigned *looks)
{
    char *text = must_have(run->threads, WHO_BYTES);
    size_t used = 0;

    for (unsigned i = 0; i < run->threads; i++) {
        struct soak_hand *h = &run->hands[i];
        const int n =
            snprintf(text + used, WHO_BYTES,
                     "  thread %u: at %s, %llu turns, the last %.1f s ago\n", i,
                     atomic_load_explicit(&h->at, memory_order_relaxed),
                     (unsigned long long)atomic_load_explicit(
                         &h->turns, memory_order_relaxed),
                     looks[i] / (double)LOOKS_S);
        used += n < WHO_BYTES ? (size_t)n : WHO_BYTES - 1;
    }
    return text;
}

/* How long each thread has been without a turn. */
struct watch {
    uint64_t turns[SOAK_THREADS_MAX];
    unsigned looks[SOAK_THREADS_MAX];
    unsigned patience; /* in looks */
    bool all_begun;    /* each has made a turn */
    bool all_ended;
};

/* Look at all threads; return the one that does not get on, or `threads`. */
static unsigned
look(struct soak_run *run, struct watch *w)
{
    unsigned stuck = run->threads;

    w->all_ended = true;
    w->all_begun = true;
    for (unsigned i = 0; i < run->threads; i++) {
        struct soak_hand *h = &run->hands[i];
        const uint64_t turns =
            atomic_load_explicit(&h->turns, memory_order_relaxed);
        const bool moved = turns != w->turns[i] || has_ended(h);
        w->turns[i] = turns;
        w->looks[i] = moved ? 0 : w->looks[i] + 1;
        w->all_ended &= has_ended(h);
        w->all_begun &= turns > 0 || has_ended(h);
        if (w->looks[i] >= w->patience && stuck == run->threads)
            stuck = i;
    }
    return stuck;
}

/* Let them run; false: some have not come to their end. */
static bool
watch(struct soak_run *run, const struct soak_plan *plan,
      struct soak_result *out)
{
    struct watch w = {.patience = (unsigned)(plan->patience_s * LOOKS_S) + 1};
    const int64_t begin_ns = clock_ns();
    const int64_t end_ns = begin_ns + (int64_t)(plan->seconds * 1e9);

    atomic_store_explicit(&run->go, true, memory_order_relaxed);
    while (!w.all_ended) {
        const int64_t left_us = (end_ns - clock_ns()) / 1000;
        usleep(left_us > 0 && left_us < LOOK_US ? (unsigned)left_us : LOOK_US);
        progress_step();
        const unsigned stuck = look(run, &w);
        out->stopped |= interrupt_came();
        if (out->stopped || (w.all_begun && clock_ns() >= end_ns))
            atomic_store_explicit(&run->stop, true, memory_order_relaxed);
        if (stuck == run->threads)
            continue;
        soak_fault(
            run, "thread %u has made no turn for %.1f s, at %s", stuck,
            plan->patience_s,
            atomic_load_explicit(&run->hands[stuck].at, memory_order_relaxed));
        out->where = where_all_are(run, w.looks);
        break;
    }
    out->elapsed_s = (double)(clock_ns() - begin_ns) / 1e9;
    return w.all_ended;
}

static void
sum_up(struct soak_run *run, struct soak_result *out)
{
    out->threads = run->threads;
    for (unsigned i = 0; i < run->threads; i++) {
        struct soak_hand *h = &run->hands[i];
        out->turns += atomic_load_explicit(&h->turns, memory_order_relaxed);
        for (int k = 0; has_ended(h) && k < SOAK_TALLIES; k++)
            out->tally[k] += h->tally[k];
    }
    pthread_mutex_lock(&run->lock);
    memcpy(out->fault, run->fault, sizeof(out->fault));
    pthread_mutex_unlock(&run->lock);
}

static void
free_run(struct soak_run *run)
{
    pthread_mutex_destroy(&run->lock);
    free(run->hands);
    free(run->state);
    free(run);
}

static struct soak_run *
make_run(const struct soak_subject *s, const struct soak_plan *plan)
{
    struct soak_run *run = must_have(1, sizeof(*run));
    unsigned threads = plan->threads;

    threads = threads < s->least_threads ? s->least_threads : threads;
    threads = threads > SOAK_THREADS_MAX ? SOAK_THREADS_MAX : threads;
    run->subject = s;
    run->threads = threads;
    run->seed = plan->seed;
    run->state = must_have(1, s->bytes);
    run->hands = must_have(threads, sizeof(struct soak_hand));
    pthread_mutex_init(&run->lock, NULL);
    for (unsigned i = 0; i < threads; i++) {
        struct soak_hand *h = &run->hands[i];
        h->run = run;
        h->state = run->state;
        h->index = i;
        h->count = threads;
        prng_seed(&h->random, plan->seed, i);
        soak_at(h, "its beginning");
    }
    return run;
}

/* How many could be started. */
static unsigned
start_all(struct soak_run *run)
{
    unsigned started = 0;

    while (started < run->threads &&
           pthread_create(&run->hands[started].thread, NULL, work,
                          &run->hands[started]) == 0)
        started++;
    return started;
}

bool
soak_run(const struct soak_subject *s, const struct soak_plan *plan,
         struct soak_result *out)
{
    struct soak_run *run = make_run(s, plan);

    *out = (struct soak_result){.threads = run->threads};
    if (s->open != NULL && !s->open(run, run->state)) {
        snprintf(out->fault, sizeof(out->fault), "it cannot be set up");
        free_run(run);
        return false;
    }
    const unsigned started = start_all(run);
    if (started < run->threads) {
        /* They cannot do their work without the others: left waiting. */
        snprintf(out->fault, sizeof(out->fault),
                 "the system grants %u threads of %u", started, run->threads);
        return false;
    }
    if (!watch(run, plan, out)) {
        /* They still use it: left as it is. */
        sum_up(run, out);
        return true;
    }
    for (unsigned i = 0; i < run->threads; i++)
        pthread_join(run->hands[i].thread, NULL);
    if (s->close != NULL)
        s->close(run, run->state);
    sum_up(run, out);
    if (!run->in_use)
        free_run(run);
    return true;
}

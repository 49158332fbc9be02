/* SPDX-License-Identifier: MIT */
/*
 * sync_thread.c - threads: each runs once, has an id that no other ever had,
 * and every join of it gives the same result and sees all it did; a join that
 * is cancelled or times out leaves it to be joined again.
 */
#include <weft/thread.h>

#include "bench/sanitized.h"
#include "soak/sync.h"
#include "soak/sync_ops.h"

#define BATCH 4

enum { STARTED, TIMED_OUT, CANCELLED };

struct item {
    struct soak_hand *h;
    void *thread;
    uint64_t seed; /* of its pauses */
    _Atomic unsigned ran;
    uint64_t plain; /* what it did */
};

struct state {
    struct item items[SOAK_THREADS_MAX][BATCH];
    alignas(128) _Atomic uint64_t started;
    _Atomic uint64_t ended;
};

static void *
run_item(void *arg)
{
    struct item *i = arg;
    struct state *s = i->h->state;

    for (uint64_t left = i->seed % 2000; left > 0; left--)
        __asm__ volatile("" ::: "memory");
    if (!i->h->run->subject->broken)
        i->plain = i->seed;
    atomic_fetch_add_explicit(&i->ran, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->ended, 1, memory_order_relaxed);
    return i;
}

struct victim {
    struct item *item;
    const struct soak_thread_ops *ops;
};

static void *
be_victim(void *arg)
{
    struct victim *v = arg;

    (void)!v->ops->join(v->item->thread, WEFT_FOREVER, NULL);
    return NULL;
}

static void
check_joined(struct soak_hand *h, struct item *i, const void *result)
{
    if (result != i)
        soak_fault(h->run, "a join gave another thread's result");
    if (atomic_load_explicit(&i->ran, memory_order_relaxed) != 1)
        soak_fault(h->run, "joined, it has run %u times",
                   atomic_load_explicit(&i->ran, memory_order_relaxed));
    else if (!h->run->subject->broken && i->plain != i->seed)
        soak_fault(h->run, "joined, what it did is not seen");
}

/* Join it until it has ended, and once more. */
static void
see_end(struct soak_hand *h, struct item *i, const struct soak_thread_ops *ops)
{
    enum weft_status status = WEFT_TIMEOUT;
    void *result = NULL;

    /* ThreadSanitizer does not survive a pthread_join that is cancelled. */
    if (!SANITIZED_THREADS && soak_one_in(h, 32)) {
        struct victim v = {i, ops};
        soak_at(h, "the end of a cancelled join");
        h->tally[CANCELLED] += soak_cancel(h, be_victim, &v);
    }
    soak_at(h, "join");
    while (status == WEFT_TIMEOUT && !soak_has_failed(h)) {
        const weft_deadline deadline = soak_deadline(h);
        status = ops->join(i->thread, deadline, &result);
        if (status == WEFT_TIMEOUT) {
            soak_timed_out(h, deadline);
            h->tally[TIMED_OUT]++;
        }
    }
    if (status != WEFT_OK) {
        soak_fault(h->run, "join returned %s", weft_status_name(status));
        return;
    }
    check_joined(h, i, result);
    if (soak_one_in(h, 4) && ops->join(i->thread, WEFT_NOW, &result) != WEFT_OK)
        soak_fault(h->run, "a second join failed");
    check_joined(h, i, result);
    ops->release(i->thread);
}

/* Start one; ids only grow, so that no two are the same. */
static uint64_t
start(struct soak_hand *h, struct item *i, const struct soak_thread_ops *ops,
      uint64_t last_id)
{
    struct state *s = h->state;

    i->h = h;
    i->seed = prng_next(&h->random);
    i->plain = 0;
    atomic_store_explicit(&i->ran, 0, memory_order_relaxed);
    soak_at(h, "start");
    const enum weft_status status = ops->start(&i->thread, run_item, i);
    if (status != WEFT_OK) {
        soak_fault(h->run, "start returned %s", weft_status_name(status));
        return last_id;
    }
    atomic_fetch_add_explicit(&s->started, 1, memory_order_relaxed);
    h->tally[STARTED]++;
    const uint64_t id = ops->id(i->thread);
    if (id <= last_id)
        soak_fault(h->run, "id %llu came after id %llu", (unsigned long long)id,
                   (unsigned long long)last_id);
    return id;
}

static void
body(struct soak_hand *h)
{
    struct item *items = ((struct state *)h->state)->items[h->index];
    const struct soak_thread_ops *ops = h->run->subject->ops;
    uint64_t last_id = 0;

    for (; soak_goes_on(h); soak_turn(h)) {
        const unsigned n = 1 + soak_below(h, BATCH);
        for (unsigned k = 0; k < n && !soak_has_failed(h); k++)
            last_id = start(h, &items[k], ops, last_id);
        soak_pause(h);
        for (unsigned k = 0; k < n && !soak_has_failed(h); k++)
            see_end(h, &items[k], ops);
    }
}

static void
close_state(struct soak_run *run, void *state)
{
    struct state *s = state;
    const uint64_t started =
        atomic_load_explicit(&s->started, memory_order_relaxed);
    const uint64_t ended =
        atomic_load_explicit(&s->ended, memory_order_relaxed);

    if (started != ended)
        soak_fault(run, "%llu threads started, %llu ended",
                   (unsigned long long)started, (unsigned long long)ended);
}

static enum weft_status
thread_start(void **out, void *(*fn)(void *arg), void *arg)
{
    weft_thread *t = NULL;
    const enum weft_status status = weft_thread_start(&t, fn, arg, NULL);

    *out = t;
    return status;
}

static enum weft_status
thread_join(void *t, weft_deadline deadline, void **result)
{
    return weft_thread_join(t, deadline, result);
}

static void
thread_release(void *t)
{
    weft_thread_release(t);
}

static uint64_t
thread_id(const void *t)
{
    return weft_thread_id(t);
}

static const struct soak_thread_ops ops = {thread_start, thread_join,
                                           thread_release, thread_id};

const struct soak_subject soak_thread = {
    .name = "thread",
    .tallies = {"started", "timed out", "cancelled"},
    .least_threads = 1,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .body = body,
    .close = close_state,
};

/* SPDX-License-Identifier: MIT */
/*
 * window.h - how far the producers of a container without a bound may run
 * ahead of its consumers.  Both sides report WINDOW_BATCH calls at a time, so
 * that the measured loops share a line only so often.
 *
 * Ordering.  None: the container carries the items.
 * window.h - the window of an unbounded queue of plain items: no more than so
 * many are under way at a time.
 *
 * Producers draw credits, a batch at a time, and consumers give them back, a
 * batch at a time or when they find the queue empty.  So the two words are
 * touched once in many items, and the queue's own lines decide.
 *
 * Relaxed: the window is a bound on memory and orders nothing.
 */
#ifndef STRESS_BENCH_WINDOW_H
#define STRESS_BENCH_WINDOW_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "bench/queue.h"
#include "memory.h"

#define WINDOW_BATCH 32

/* One thread's, on a line of its own. */
struct window_count {
    alignas(64) size_t unreported;
};

struct window {
    alignas(64) _Atomic ptrdiff_t ahead; /* reported: pushed less popped */
    alignas(64) ptrdiff_t most;
    size_t producers;
    struct window_count *counts;
};

static inline void
window_open(struct window *w, const struct queue_load *load)
{
    atomic_init(&w->ahead, 0);
    w->most = (ptrdiff_t)load->capacity;
    w->producers = load->producers;
    w->counts =
        must_have(load->producers + load->consumers, sizeof(w->counts[0]));
}

static inline void
window_close(struct window *w)
{
    free(w->counts);
}

/* Whether the load is one in which producers could run away. */
static inline bool
window_is_kept(const struct queue_hand *h)
{
    const enum queue_kind kind = h->run->load->kind;

    return kind == QUEUE_FLOW || kind == QUEUE_BULKY;
}

/* Whether there is room for `n` more, which are then counted. */
static inline bool
window_enter(struct window *w, const struct queue_hand *h, size_t n)
{
    size_t *unreported = &w->counts[h->index].unreported;

    if (*unreported + n >= WINDOW_BATCH) {
        if (atomic_load_explicit(&w->ahead, memory_order_relaxed) >= w->most)
            return false;
        atomic_fetch_add_explicit(&w->ahead, (ptrdiff_t)(*unreported + n),
                                  memory_order_relaxed);
        *unreported = 0;
        return true;
    }
    *unreported += n;
    return true;
}

/* `n` came out; 0: there was nothing, so that nobody may wait for a report. */
static inline void
window_leave(struct window *w, const struct queue_hand *h, size_t n)
{
    size_t *unreported = &w->counts[w->producers + h->index].unreported;

    *unreported += n;
    if (*unreported < WINDOW_BATCH && (n > 0 || *unreported == 0))
        return;
    atomic_fetch_sub_explicit(&w->ahead, (ptrdiff_t)*unreported,
                              memory_order_relaxed);
    *unreported = 0;
#include "bench/queue.h"

#define WINDOW_BATCH_MOST 64

struct window {
    uint64_t items; /* 0: without bound */
    uint64_t batch;
    alignas(128) _Atomic uint64_t drawn;
    alignas(128) _Atomic uint64_t returned;
};

static inline void
window_init(struct window *w, const struct queue_load *load)
{
    /* An eighth of the window may wait in the hands of each side. */
    const uint64_t share = load->capacity / 8 / load->producers;
    const bool is_bound = load->kind == QUEUE_FLOW || load->kind == QUEUE_BULKY;

    w->items = is_bound ? load->capacity : 0;
    w->batch = share < 1                   ? 1
               : share > WINDOW_BATCH_MOST ? WINDOW_BATCH_MOST
                                           : share;
    atomic_init(&w->drawn, 0);
    atomic_init(&w->returned, 0);
}

/* Draw a batch; false: the window is full. */
static inline bool
window_draw(struct window *w, struct queue_hand *h)
{
    if (w->items == 0) {
        h->credit = UINT64_MAX;
        return true;
    }
    uint64_t drawn = atomic_load_explicit(&w->drawn, memory_order_relaxed);
    do {
        if (drawn + w->batch -
                atomic_load_explicit(&w->returned, memory_order_relaxed) >
            w->items)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &w->drawn, &drawn, drawn + w->batch, memory_order_relaxed,
        memory_order_relaxed));
    h->credit = w->batch;
    return true;
}

/* Room for up to `n` more; 0: none now. */
static inline size_t
window_room(struct window *w, struct queue_hand *h, size_t n)
{
    if (h->credit == 0 && !window_draw(w, h))
        return 0;
    return n < h->credit ? n : (size_t)h->credit;
}

/* `n` were popped, of which 0 may be some. */
static inline void
window_popped(struct window *w, struct queue_hand *h, size_t n)
{
    h->owed += n;
    if (n != 0 && h->owed < w->batch)
        return;
    if (h->owed == 0 || w->items == 0)
        return;
    atomic_fetch_add_explicit(&w->returned, h->owed, memory_order_relaxed);
    h->owed = 0;
}

#endif /* STRESS_BENCH_WINDOW_H */

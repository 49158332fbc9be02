/* SPDX-License-Identifier: MIT */
/*
 * window.h - how far the producers of a container without a bound may run
 * ahead of its consumers.  Both sides report WINDOW_BATCH calls at a time, so
 * that the measured loops share a line only so often.
 *
 * Ordering.  None: the container carries the items.
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
}

#endif /* STRESS_BENCH_WINDOW_H */

/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_line.h - who waits for one thing in the form with a lock
 * (queue_mutex.c): sleepers, and calls that were given to them.  All with the
 * lock held, but for weft_line_wake_.
 */
#ifndef WEFT_QUEUE_QUEUE_LINE_H
#define WEFT_QUEUE_QUEUE_LINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/park.h"

struct weft_line {
    uint32_t sleepers;
    _Atomic uint32_t calls; /* they sleep while it is 0 */
};

/* Call up to `n` who wait in `l`; the caller wakes as many once it has let go
 * of the lock. */
static inline uint32_t
weft_line_call_(struct weft_line *l, size_t n)
{
    const uint32_t k = n < l->sleepers ? (uint32_t)n : l->sleepers;

    l->sleepers -= k;
    atomic_fetch_add_explicit(&l->calls, k, memory_order_relaxed);
    return k;
}

static inline void
weft_line_wake_(struct weft_line *l, uint32_t n)
{
    if (n != 0)
        weft_park_wake_(&l->calls, n);
}

/* Use a call up; false: there is none. */
static inline bool
weft_line_use_call_(struct weft_line *l)
{
    const uint32_t calls =
        atomic_load_explicit(&l->calls, memory_order_relaxed);

    if (calls != 0)
        atomic_store_explicit(&l->calls, calls - 1, memory_order_relaxed);
    return calls != 0;
}

#endif /* WEFT_QUEUE_QUEUE_LINE_H */

/* SPDX-License-Identifier: MIT */
/*
 * slots.h - the window of a queue that has no bound of its own: each producer
 * has a fixed number of slots, pushes their addresses round and round, and
 * waits for a slot that is not back yet.
 *
 * Ordering.  The queue under test carries the address; for what the slot holds
 * we rely on nothing but its own word:
 *
 *     give_back   the consumer empties the slot  ->  its producer fills it anew
 */
#ifndef STRESS_BENCH_SLOTS_H
#define STRESS_BENCH_SLOTS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "bench/queue.h"
#include "memory.h"

/* How many slots each producer has under a load; at least 1. */
static inline size_t
slots_each(const struct queue_load *load)
{
    const size_t each = load->capacity / load->producers;

    return each > 0 ? each : 1;
}

/* Its word; NULL: with the producer.  An atomic for ThreadSanitizer too, which
 * does not see how a foreign queue carries the slot. */
typedef _Atomic(void *) slot_word;

static inline bool
slot_is_back(slot_word *slot)
{
    /* acquire: give_back */
    return atomic_load_explicit(slot, memory_order_acquire) == NULL;
}

/* Fill a slot, if it is back. */
static inline bool
slot_fill(slot_word *slot, void *item)
{
    if (!slot_is_back(slot))
        return false;
    atomic_store_explicit(slot, item, memory_order_relaxed);
    return true;
}

/* Take what is in it, and let its producer have it back. */
static inline void *
slot_empty(slot_word *slot)
{
    void *item = atomic_load_explicit(slot, memory_order_relaxed);

    /* release: give_back */
    atomic_store_explicit(slot, NULL, memory_order_release);
    return item;
}

#endif /* STRESS_BENCH_SLOTS_H */

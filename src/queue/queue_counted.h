/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_counted.h - a stack or a heap, which know no capacity and no end,
 * made a store of the fast forms: with a count of what was put and of what was
 * taken.
 */
#ifndef WEFT_QUEUE_QUEUE_COUNTED_H
#define WEFT_QUEUE_QUEUE_COUNTED_H

#include <weft/heap.h>
#include <weft/queue.h>
#include <weft/stack.h>

#include <stdalign.h>
#include <stdatomic.h>

#include "base/cacheline.h"

struct weft_queue_fast;

struct weft_queue_counted {
    weft_stack *stack; /* constant, as are the next two; NULL: the heap */
    weft_heap *heap;
    uint64_t capacity; /* [items]; UINT64_MAX: none */

    /* Puts that have begun, and bit 63: closed. */
    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t claims;
    /* Gets that have ended, and the same bit. */
    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t released;
};

/* Set up what these options ask for; false: no memory. */
bool weft_queue_counted_create_(struct weft_queue_counted *c,
                                const weft_queue_options *options);
void weft_queue_counted_destroy_(struct weft_queue_counted *c);

/*
 * Push the first of `items`, as many as there is room for.
 *
 *   returns    WEFT_OK, and in `*done` how many; WEFT_FULL, none, also if it is
 *              closed; WEFT_NO_MEMORY, none
 *   ordering   what was before the pops that made the room happens-before
 */
enum weft_status weft_queue_counted_push_n_(struct weft_queue_fast *q,
                                            void *const *items, size_t n,
                                            size_t *done);

/* Pop up to `n`; how many. */
size_t weft_queue_counted_pop_n_(struct weft_queue_fast *q, void **items,
                                 size_t n);

/* Whether there may be room, or items, for another one. */
bool weft_queue_counted_has_room_(const struct weft_queue_counted *c);
bool weft_queue_counted_has_items_(const struct weft_queue_counted *c);

/* Whether a pop would find something. */
bool weft_queue_counted_is_ready_(const struct weft_queue_counted *c);

/* Let no push begin from now on; may be called again. */
void weft_queue_counted_close_(struct weft_queue_counted *c);
bool weft_queue_counted_is_closed_(const struct weft_queue_counted *c);

/* Whether it is closed and empty, and no push is in progress: for good. */
bool weft_queue_counted_is_drained_(const struct weft_queue_counted *c);

/* How many were pushed, or are being pushed; exact. */
uint64_t weft_queue_counted_pushed_(const struct weft_queue_counted *c);

size_t weft_queue_counted_size_(const struct weft_queue_counted *c);

#endif /* WEFT_QUEUE_QUEUE_COUNTED_H */

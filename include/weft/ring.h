/* SPDX-License-Identifier: MIT */
/*
 * ring.h - bounded first-in first-out queue of pointers, for any number of
 * producers and consumers.
 *
 *   shape      `capacity` cells, one allocation, fixed for life; its pages are
 *              first touched as items come there
 *   source     WEFT_LOCKFREE original, related to Tsigas & Zhang, A Simple,
 *              Fast and Scalable Non-Blocking Concurrent FIFO Queue, SPAA
 *              2001; WEFT_LOCKLESS after Vyukov, Bounded MPMC queue, 2010
 *   sibling    spsc.h: faster, for one producer and one consumer
 *
 * What the forms promise and what they cost (RMW: atomic read-modify-write):
 *
 *                        WEFT_LOCKFREE     WEFT_LOCKLESS     WEFT_MUTEX
 *     progress           lock-free         not blocking (1)  blocking
 *     a thread stopped   stops nobody      can make the      stops all
 *     in the middle of                     others see FULL
 *     a call                               or EMPTY
 *     WEFT_FULL means    full at a moment  full, or a call   full at a moment
 *                        of the call       is in progress    of the call
 *     WEFT_EMPTY means   empty at a        empty, or a call  empty at a
 *                        moment of the     is in progress    moment of the
 *                        call                                call
 *     linearizable       yes               but for that      yes
 *     push or pop,       1 RMW of a cell   1 RMW of a        lock and unlock:
 *     uncontended                          counter           2 RMW
 *     n at once          n RMW             1 RMW             2 RMW
 *     bytes an item      16                16                8
 *
 *     (1) Every call ends after a bounded number of its own steps unless other
 *         calls keep succeeding.
 *
 *       weft_ring *jobs;
 *       if (weft_ring_create(&jobs, 1000, WEFT_LOCKFREE) != WEFT_OK)
 *           return;
 *       if (weft_ring_push(jobs, job) == WEFT_FULL)
 *           run_now(job);
 *       weft_ring_destroy(jobs);
 */
#ifndef WEFT_RING_H
#define WEFT_RING_H

#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_ring weft_ring;

/*
 * Create a ring that holds at most `capacity` items and store it in `*out`.
 *
 *   capacity   exact, at least 1 [items]
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL, `capacity` is 0,
 *              `impl` is not one of the enum) or WEFT_NO_MEMORY (also for a
 *              capacity beyond what can be addressed), `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_ring_create(weft_ring **out, size_t capacity, enum weft_impl impl);

/* As weft_ring_destroy_with without `drop`. */
WEFT_API void weft_ring_destroy(weft_ring *r);

/*
 * Hand the items that are left to `drop`, oldest first, then free the ring.
 *
 *   r          NULL: nothing happens
 *   drop       is given each item, and `ctx`; it must not use the ring.  NULL:
 *              the items are forgotten
 *   requires   no other call is running, or stopped in the middle
 */
WEFT_API void weft_ring_destroy_with(weft_ring *r,
                                     void (*drop)(void *item, void *ctx),
                                     void *ctx);

/*
 * Append `item`, which may be NULL.
 *
 *   returns    WEFT_OK; WEFT_FULL, and the item is still the caller's
 *   blocking   never (WEFT_MUTEX: for the few instructions of another call)
 *   progress   the table above
 *   ordering   everything before the push happens-before the return of the
 *              pop that takes the item
 *   threads    any, together with every call but _destroy; LOCKFREE and
 *              LOCKLESS also from a signal handler, amid any other call
 *   cost       the table above; after a lost race for a cell a pause of a few
 *              microseconds; no allocation, no system call (WEFT_MUTEX: if it
 *              has to wait)
 *   caveat     not fair: a thread that loses races may see others go by
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_ring_push(weft_ring *r,
                                                       void *item);

/*
 * Take the oldest item into `*item`.
 *
 *   returns    WEFT_OK; WEFT_EMPTY, and `*item` is untouched
 *   others     as weft_ring_push, with WEFT_EMPTY for WEFT_FULL
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_ring_pop(weft_ring *r,
                                                      void **item);

/*
 * Append the first items of `items`, as many as fit, in their order.
 *
 *   returns    how many, 0 to `n`; the rest are still the caller's
 *   caveat     not one step: items of other producers may come between
 *              (WEFT_MUTEX: one step)
 *   others     as weft_ring_push
 */
WEFT_API WEFT_MUST_USE size_t weft_ring_push_n(weft_ring *r, void *const *items,
                                               size_t n);

/*
 * Take up to `n` of the oldest items into `items`, oldest first.
 *
 *   returns    how many, 0 to `n`; the rest of `items` is untouched
 *   caveat     not one step: other consumers may take items from between
 *              (WEFT_MUTEX: one step)
 *   others     as weft_ring_pop
 */
WEFT_API WEFT_MUST_USE size_t weft_ring_pop_n(weft_ring *r, void **items,
                                              size_t n);

/*
 * Return how many items are in the ring, 0 to the capacity.
 *
 *   blocking   never
 *   caveat     exact only while nobody pushes or pops
 */
WEFT_API size_t weft_ring_size(const weft_ring *r);

/* The capacity it was created with [items]. */
WEFT_API size_t weft_ring_capacity(const weft_ring *r);

WEFT_END_DECLS

#endif /* WEFT_RING_H */

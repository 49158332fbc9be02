/* SPDX-License-Identifier: MIT */
/*
 * spsc.h - bounded first-in first-out queue of pointers, for one producer
 * thread and one consumer thread.
 *
 *   shape      `capacity` cells of two words, one allocation, fixed for life
 *   variants   WEFT_LOCKFREE, wait-free; WEFT_LOCKLESS is the same; WEFT_MUTEX,
 *              one lock around the same cells
 *   source     cells that say whether they are full: Giacomoni, Moseley and
 *              Vachharajani, "FastForward for Efficient Pipeline Parallelism",
 *              PPoPP 2008; a private copy of the other side's position: Lee, Bu
 *              and Chandranmenon, "A Lock-Free, Cache-Efficient Shared Ring
 *              Buffer for Multi-Core Architectures", ANCS 2009
 *   sibling    ring.h, for any number of either
 *
 *       weft_spsc *jobs;
 *       if (weft_spsc_create(&jobs, 1000, WEFT_LOCKFREE) != WEFT_OK)
 *           return;
 *       if (weft_spsc_push(jobs, job) == WEFT_FULL)     // the producer
 *           run_now(job);
 *       if (weft_spsc_pop(jobs, &job) == WEFT_OK)       // the consumer
 *           run(job);
 *       weft_spsc_destroy(jobs);
 *
 * At any time at most one thread pushes and at most one pops, the same or
 * another; another thread may take a side over if what the last one did there
 * happens-before what it does.  WEFT_MUTEX does not need that.
 */
#ifndef WEFT_SPSC_H
#define WEFT_SPSC_H

#include <stddef.h>

#include <weft/base.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_spsc weft_spsc;

/*
 * Create a ring that holds at most `capacity` items and store it in `*out`.
 *
 *   capacity   exact, at least 1 [items]
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL, `capacity` is 0,
 *              `impl` is not one of the enum) or WEFT_NO_MEMORY (also for a
 *              capacity beyond what can be addressed), `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_spsc_create(weft_spsc **out, size_t capacity, enum weft_impl impl);

/* As weft_spsc_destroy_with without `drop`. */
WEFT_API void weft_spsc_destroy(weft_spsc *r);

/*
 * Hand the items that are left to `drop`, oldest first, then free the ring.
 *
 *   r          NULL: nothing happens
 *   drop       is given each item, and `ctx`; it must not use the ring.  NULL:
 *              the items are forgotten
 *   requires   no other call is running, or stopped in the middle
 */
WEFT_API void weft_spsc_destroy_with(weft_spsc *r,
                                     void (*drop)(void *item, void *ctx),
                                     void *ctx);

/*
 * Append `item`, which may be NULL.
 *
 *   returns    WEFT_OK; WEFT_FULL, and the item is still the caller's: the
 *              ring holds `capacity` items but for pops that run meanwhile
 *   blocking   never (WEFT_MUTEX: for the few instructions of another call)
 *   progress   wait-free (WEFT_MUTEX: blocking)
 *   ordering   everything before the push happens-before the return of the
 *              pop that takes the item; everything before a pop happens-before
 *              the return of the push that takes the place it made
 *   threads    the producer's, together with every call but _destroy; a
 *              signal handler may be the producer (not with WEFT_MUTEX) if it
 *              interrupts no push
 *   cost       three stores; no locked instruction, no fence; inlined unless
 *              the producer has to look how far the consumer is
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_spsc_push(weft_spsc *r,
                                                       void *item);

/*
 * Take the oldest item into `*item`.
 *
 *   returns    WEFT_OK; WEFT_EMPTY, and `*item` is untouched: there is no item
 *              but of pushes that run meanwhile
 *   threads    the consumer's, together with every call but _destroy; a
 *              signal handler may be the consumer (not with WEFT_MUTEX) if it
 *              interrupts no pop
 *   cost       one store
 *   others     as weft_spsc_push
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_spsc_pop(weft_spsc *r,
                                                      void **item);

/*
 * Append the first items of `items`, as many as fit, in their order.
 *
 *   returns    how many, 0 to `n`; the rest are still the caller's
 *   caveat     not one step: the first can be popped before the last is there
 *   others     as weft_spsc_push
 */
WEFT_API WEFT_MUST_USE size_t weft_spsc_push_n(weft_spsc *r, void *const *items,
                                               size_t n);

/*
 * Take up to `n` of the oldest items into `items`, oldest first.
 *
 *   returns    how many, 0 to `n`; the rest of `items` is untouched
 *   caveat     the room they leave can be used when the call returns
 *   others     as weft_spsc_pop
 */
WEFT_API WEFT_MUST_USE size_t weft_spsc_pop_n(weft_spsc *r, void **items,
                                              size_t n);

/*
 * Return how many items are in the ring, 0 to capacity.
 *
 *   returns    exact while nobody pushes or pops
 *   threads    any, together with every call but _destroy
 */
WEFT_API size_t weft_spsc_size(const weft_spsc *r);

/* Return the capacity it was created with [items]. */
WEFT_API size_t weft_spsc_capacity(const weft_spsc *r);

/* --- inlined -------------------------------------------------------------- */

/* What push and pop need is fixed for good; the rest of a ring is private, and
 * so are the fields.  src/container/spsc.c says what they mean. */
struct weft_spsc_cell_ {
    WEFT_ATOMIC(uint64_t) stamp;
    void *item;
};

/* One side, written by its thread only. */
struct weft_spsc_side_ {
    WEFT_ATOMIC(uint64_t) at;
    uint64_t limit;
    uint64_t lap;
    struct weft_spsc_cell_ *cells;
    unsigned char pad[128 - 3 * sizeof(uint64_t) - sizeof(void *)];
};

/* What a ring begins with. */
struct weft_spsc_ends_ {
    struct weft_spsc_side_ push;
    struct weft_spsc_side_ pop;
};

WEFT_API WEFT_MUST_USE enum weft_status weft_spsc_push_slow_(weft_spsc *r,
                                                             void *item);
WEFT_API WEFT_MUST_USE enum weft_status weft_spsc_pop_slow_(weft_spsc *r,
                                                            void **item);

#if !defined(WEFT_NO_INLINE)
WEFT_INLINE enum weft_status
weft_spsc_push(weft_spsc *r, void *item)
{
    struct weft_spsc_side_ *s = &((struct weft_spsc_ends_ *)(void *)r)->push;
    uint64_t at = WEFT_LOAD_(&s->at, relaxed);
    struct weft_spsc_cell_ *c;

    if (__builtin_expect(at == s->limit, 0))
        return weft_spsc_push_slow_(r, item);
    c = &s->cells[at - s->lap];
    c->item = item;
    WEFT_STORE_(&c->stamp, at + 1, release);
    WEFT_STORE_(&s->at, at + 1, relaxed);
    return WEFT_OK;
}

WEFT_INLINE enum weft_status
weft_spsc_pop(weft_spsc *r, void **item)
{
    struct weft_spsc_side_ *s = &((struct weft_spsc_ends_ *)(void *)r)->pop;
    uint64_t at = WEFT_LOAD_(&s->at, relaxed);
    struct weft_spsc_cell_ *c = &s->cells[at - s->lap];

    if (__builtin_expect(WEFT_LOAD_(&c->stamp, acquire) != at + 1, 0))
        return weft_spsc_pop_slow_(r, item);
    *item = c->item;
    WEFT_STORE_(&s->at, at + 1, release);
    return WEFT_OK;
}
#endif

WEFT_END_DECLS

#endif /* WEFT_SPSC_H */

/* SPDX-License-Identifier: MIT */
/*
 * heap.h - unbounded priority queue of pointers, for any number of threads:
 * lowest first, equal ones in the order of arrival.
 *
 *   shape      WEFT_MUTEX one array of 24 bytes an item, that grows and
 *              shrinks; the others a block of 32 bytes or more an item, that a
 *              helper thread gives back a few milliseconds after the pop; a
 *              heap keeps up to 4096 of them to use again
 *   source     WEFT_LOCKFREE after Linden & Jonsson, A Skiplist-Based
 *              Concurrent Priority Queue with Minimal Memory Contention, OPODIS
 *              2013; WEFT_LOCKLESS is the same
 *   sibling    fifo.h, stack.h: other orders
 *
 * What the forms promise:
 *
 *                        WEFT_LOCKFREE, WEFT_LOCKLESS       WEFT_MUTEX
 *                        with a key       with a compare
 *                                         function
 *     progress           lock-free (1)    pop may wait (2)  blocking
 *     a thread stopped   stops nobody     stops the pop of  stops all
 *     in the middle of                    the one item it
 *     a call                              compares with
 *     linearizable       yes              yes               yes
 *     your function      in push, once    in push, with no  in push and pop,
 *     is called          an item, before  lock held         with the lock held
 *                        it is shared
 *
 *     (1) But for malloc, when a push finds no block to use again.
 *     (2) A pop takes its item at once, but returns only when no push compares
 *         with that very item any more: compare never sees an item that a
 *         consumer has been given.  Pass a key where that matters.
 *
 *       static int64_t
 *       due(const void *item, void *ctx)
 *       {
 *           return ((const struct job *)item)->due_ns;
 *       }
 *
 *       weft_heap *jobs;
 *       if (weft_heap_create_keyed(&jobs, due, NULL, WEFT_LOCKFREE) != WEFT_OK)
 *           return;
 *       if (weft_heap_push(jobs, job) == WEFT_NO_MEMORY)
 *           run_now(job);
 *       weft_heap_destroy(jobs);
 */
#ifndef WEFT_HEAP_H
#define WEFT_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_heap weft_heap;

/*
 * Tell which of two items leaves first: less than 0 for `a`, more than 0 for
 * `b`, 0 if they are equal.
 *
 *   a, b       items; an item is passed only until it is popped
 *   requires   a total order, the same at every call; it does not call on the
 *              heap it orders (other objects are fine) and returns: no
 *              longjmp, no end of the thread
 */
typedef int weft_compare(const void *a, const void *b, void *ctx);

/*
 * Create a heap whose order `compare` tells and store it in `*out`.
 *
 *   ctx        passed to `compare`
 *   returns    WEFT_OK; else WEFT_INVALID (`out` or `compare` is NULL, `impl`
 *              is not one of the enum) or WEFT_NO_MEMORY, `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_heap_create(weft_heap **out,
                                                         weft_compare *compare,
                                                         void *ctx,
                                                         enum weft_impl impl);

/*
 * Create a heap whose order is that of one number an item, and store it in
 * `*out`.
 *
 *   key        the number; called once an item, by the thread that pushes it,
 *              before anybody else can see it.  It may call Weft, also on this
 *              heap
 *   returns    as weft_heap_create, with `key` for `compare`
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_heap_create_keyed(weft_heap **out,
                       int64_t (*key)(const void *item, void *ctx), void *ctx,
                       enum weft_impl impl);

/* Free the heap, not its items; NULL is fine.  No other call may be running. */
WEFT_API void weft_heap_destroy(weft_heap *h);

/*
 * Free the heap, and call `drop` for each item left, in the order in which
 * they would have been popped.
 *
 *   drop       NULL: as weft_heap_destroy
 *   requires   as weft_heap_destroy; `drop` does not use the heap
 */
WEFT_API void weft_heap_destroy_with(weft_heap *h,
                                     void (*drop)(void *item, void *ctx),
                                     void *ctx);

/*
 * Put `item` in its place, behind all that are equal; it may be NULL.
 *
 *   returns    WEFT_OK; WEFT_NO_MEMORY, and the item is still the caller's
 *   blocking   never (WEFT_MUTEX: for the duration of another call)
 *   progress   the table above
 *   ordering   everything before the push happens-before the return of the
 *              pop that takes the item, and before a compare with it
 *   threads    any, together with every call but _destroy
 *   cost       with n items, O(log n) steps; an allocation, but for blocks
 *              that can be used again
 *   caveat     not in a signal handler: it allocates
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_heap_push(weft_heap *h,
                                                       void *item);

/*
 * Take the first item into `*item`: the lowest, of equal ones the oldest.
 *
 *   returns    WEFT_OK; WEFT_EMPTY, and `*item` is untouched
 *   blocking   never with a key; with a compare function until no push
 *              compares with the item: spins, then sleeps (WEFT_MUTEX: for the
 *              duration of another call)
 *   cost       O(1) steps but for the steps of others; WEFT_MUTEX O(log n)
 *   others     as weft_heap_push
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_heap_pop(weft_heap *h,
                                                      void **item);

/*
 * Put the items of `items` in their places, one after the other.
 *
 *   returns    how many, fewer than `n` only for want of memory; the rest are
 *              still the caller's
 *   caveat     not one step: items of others may come between
 *   others     as weft_heap_push
 */
WEFT_API WEFT_MUST_USE size_t weft_heap_push_n(weft_heap *h, void *const *items,
                                               size_t n);

/*
 * Take up to `n` of the first items into `items`, in their order.
 *
 *   returns    how many, 0 to `n`; the rest of `items` is untouched
 *   caveat     not one step: others may push and pop between, so that a later
 *              one may be lower (WEFT_MUTEX: one step)
 *   others     as weft_heap_pop
 */
WEFT_API WEFT_MUST_USE size_t weft_heap_pop_n(weft_heap *h, void **items,
                                              size_t n);

/*
 * Return how many items are in the heap.
 *
 *   blocking   never
 *   caveat     exact only while nobody pushes or pops
 */
WEFT_API size_t weft_heap_size(const weft_heap *h);

WEFT_END_DECLS

#endif /* WEFT_HEAP_H */

/* SPDX-License-Identifier: MIT */
/*
 * deque.h - work-stealing deque of pointers: one owner pushes and pops at one
 * end, any other thread steals at the other.
 *
 *   shape      one array of a power of two of items, doubled when full; the
 *              old ones, together smaller than the one in use, stay until the
 *              deque is destroyed
 *   source     Chase & Lev, Dynamic Circular Work-Stealing Deque, SPAA 2005;
 *              memory orders: Le, Pop, Cohen & Zappa Nardelli, Correct and
 *              Efficient Work-Stealing for Weak Memory Models, PPoPP 2013
 *   sibling    stack.h, fifo.h: any thread may do anything, at a price
 *
 * The owner is one thread at a time; who takes over must be told by the one
 * before (a join, a lock), so that its calls happen-before.
 *
 *       weft_deque *mine;
 *       if (weft_deque_create(&mine) != WEFT_OK)
 *           return;
 *       if (weft_deque_push(mine, job) != WEFT_OK)
 *           run_now(job);
 *       while (weft_deque_pop(mine, &job) == WEFT_OK)
 *           run_now(job);
 *       weft_deque_destroy(mine);
 */
#ifndef WEFT_DEQUE_H
#define WEFT_DEQUE_H

#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_deque weft_deque;

/*
 * Create an empty deque and store it in `*out`.
 *
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL) or WEFT_NO_MEMORY,
 *              `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_deque_create(weft_deque **out);

/* Free the deque, not its items; NULL is fine.  No other call may be running. */
WEFT_API void weft_deque_destroy(weft_deque *d);

/*
 * Hand each item that is left to `drop`, in the order in which the owner would
 * pop them, newest first, and free the deque.
 *
 *   d          NULL is fine; no other call may be running
 *   drop       may not use the deque; NULL: as weft_deque_destroy
 */
WEFT_API void weft_deque_destroy_with(weft_deque *d,
                                      void (*drop)(void *item, void *ctx),
                                      void *ctx);

/*
 * Put `item`, which may be NULL, at the owner's end.
 *
 *   returns    WEFT_OK; WEFT_NO_MEMORY, and the item is still the caller's
 *   progress   wait-free, but for the allocation when the array is full
 *   ordering   everything before the push happens-before the return of the
 *              pop or steal that takes the item
 *   threads    the owner; not in a signal handler
 *   cost       two plain stores; when the array is full, an allocation of
 *              twice its size and a copy
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_deque_push(weft_deque *d,
                                                        void *item);

/*
 * Take the item that was pushed last into `*item`.
 *
 *   returns    WEFT_OK; WEFT_EMPTY, and `*item` is untouched: there was none,
 *              or a thief has just taken the last
 *   progress   wait-free
 *   threads    the owner; not in a signal handler
 *   cost       one atomic exchange; two if there is only one item
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_deque_pop(weft_deque *d,
                                                       void **item);

/*
 * Take the oldest item into `*item`.
 *
 *   returns    WEFT_OK; WEFT_EMPTY: there was none at a moment of the call;
 *              WEFT_BUSY: another thread was faster, and there may be more;
 *              `*item` is untouched unless WEFT_OK
 *   progress   wait-free; and of those who race for an item, one gets it
 *   threads    any, the owner too; also in a signal handler
 *   cost       one compare-and-swap
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_deque_steal(weft_deque *d,
                                                         void **item);

/*
 * Return how many items are in the deque.
 *
 *   blocking   never
 *   threads    any; also in a signal handler
 *   caveat     exact only while nobody is in another call
 */
WEFT_API size_t weft_deque_size(const weft_deque *d);

WEFT_END_DECLS

#endif /* WEFT_DEQUE_H */

/* SPDX-License-Identifier: MIT */
/*
 * fifo.h - unbounded first-in first-out queue of pointers, for any number of
 * producers and consumers.
 *
 *   shape      a list of segments of some thousand cells; no allocation for an
 *              item; segments that have drained serve again, and what a few
 *              spare ones do not need goes back to the system
 *   source     WEFT_LOCKFREE and WEFT_LOCKLESS original; they join the ring's
 *              cells (ring.h) to a list after Michael & Scott, Simple, Fast,
 *              and Practical Non-Blocking and Blocking Concurrent Queue
 *              Algorithms, PODC 1996
 *   sibling    ring.h: bounded; stack.h: last in, first out
 *
 * What the forms promise and what they cost (RMW: atomic read-modify-write):
 *
 *                        WEFT_LOCKFREE     WEFT_LOCKLESS     WEFT_MUTEX
 *     progress           lock-free         not blocking (1)  blocking
 *     a thread stopped   stops nobody      push: can make    stops all
 *     in the middle of                     the others see
 *     a call                               EMPTY; pop:
 *                                          stops nobody
 *     WEFT_EMPTY means   empty at a        empty, or a push  empty at a
 *                        moment of the     is in progress    moment of the
 *                        call                                call
 *     linearizable       yes               but for that      yes
 *     push or pop,       1 RMW each        1 RMW each        lock and unlock:
 *     uncontended                                            2 RMW
 *     n at once          n RMW             1 RMW             2 RMW
 *     bytes an item      16                16                8
 *
 *     (1) Every call ends after a bounded number of its own steps unless other
 *         calls keep succeeding.
 *
 *       weft_fifo *jobs;
 *       if (weft_fifo_create(&jobs, WEFT_LOCKFREE) != WEFT_OK)
 *           return;
 *       if (weft_fifo_push(jobs, job) == WEFT_NO_MEMORY)
 *           run_now(job);
 *       weft_fifo_destroy(jobs);
 */
#ifndef WEFT_FIFO_H
#define WEFT_FIFO_H

#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_fifo weft_fifo;

/*
 * Create an empty fifo and store it in `*out`.
 *
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL, `impl` is not one of
 *              the enum) or WEFT_NO_MEMORY, `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_fifo_create(weft_fifo **out,
                                                         enum weft_impl impl);

/* Free the fifo, not its items; NULL is fine.  No other call may be running. */
WEFT_API void weft_fifo_destroy(weft_fifo *f);

/*
 * The same, and hand each item that is left to `drop`, oldest first.
 *
 *   drop       NULL: nobody wants them; may use other objects, not this one
 *   ctx        the second argument of `drop`
 */
WEFT_API void weft_fifo_destroy_with(weft_fifo *f,
                                     void (*drop)(void *item, void *ctx),
                                     void *ctx);

/*
 * Append `item`, which may be NULL.
 *
 *   returns    WEFT_OK; WEFT_NO_MEMORY, and the item is still the caller's
 *   blocking   never (WEFT_MUTEX: for the few instructions of another call);
 *              a thread's first call takes a lock of liburcu for a moment
 *   progress   the table above
 *   ordering   everything before the push happens-before the return of the
 *              pop that takes the item
 *   threads    any, together with every call but _destroy
 *   cost       the table above; after a lost race a pause of a few
 *              microseconds; a system call where a segment is full and none is
 *              spare (WEFT_MUTEX: if it has to wait)
 *   caveat     not fair: a thread that loses races may see others go by
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_fifo_push(weft_fifo *f,
                                                       void *item);

/*
 * Take the oldest item into `*item`.
 *
 *   returns    WEFT_OK; WEFT_EMPTY, and `*item` is untouched
 *   cost       the table above; where more segments have drained than are kept,
 *              one is handed to a helper thread to be given back
 *   caveat     a thread stopped inside a call delays that giving back, for the
 *              whole process, but no call
 *   others     as weft_fifo_push
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_fifo_pop(weft_fifo *f,
                                                      void **item);

/*
 * Append the items of `items`, in their order.
 *
 *   returns    `n`; less if memory ran out: so many of the first, and the rest
 *              are still the caller's
 *   caveat     not one step: items of other producers may come between
 *              (WEFT_MUTEX: one step)
 *   others     as weft_fifo_push
 */
WEFT_API WEFT_MUST_USE size_t weft_fifo_push_n(weft_fifo *f, void *const *items,
                                               size_t n);

/*
 * Take up to `n` of the oldest items into `items`, oldest first.
 *
 *   returns    how many, 0 to `n`; the rest of `items` is untouched
 *   caveat     not one step: other consumers may take items from between
 *              (WEFT_MUTEX: one step)
 *   others     as weft_fifo_pop
 */
WEFT_API WEFT_MUST_USE size_t weft_fifo_pop_n(weft_fifo *f, void **items,
                                              size_t n);

/*
 * Return how many items are in the fifo.
 *
 *   blocking   never
 *   caveat     exact only while nobody pushes or pops
 */
WEFT_API size_t weft_fifo_size(const weft_fifo *f);

WEFT_END_DECLS

#endif /* WEFT_FIFO_H */

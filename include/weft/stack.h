/* SPDX-License-Identifier: MIT */
/*
 * stack.h - unbounded last-in first-out stack of pointers, for any number of
 * threads.
 *
 *   shape      grows as items come; what it took it keeps, for later items,
 *              until it is destroyed (WEFT_MUTEX gives back as it drains)
 *   source     R. K. Treiber, Systems Programming: Coping with Parallelism,
 *              IBM RJ 5118, 1986; the tag against reuse is IBM System/370's,
 *              the same place
 *   sibling    fifo.h: oldest first; deque.h: one owner, much faster for it
 *
 * What the forms promise and what they cost (RMW: atomic read-modify-write):
 *
 *                        WEFT_LOCKFREE (1)     WEFT_MUTEX
 *     progress           lock-free (2)         blocking
 *     a thread stopped   stops nobody          stops all
 *     in the middle of
 *     a call
 *     linearizable       yes                   yes
 *     push or pop,       2 RMW: one of the     lock and unlock: 2 RMW
 *     uncontended        stack, one of a
 *                        list of free nodes
 *     n at once          1 RMW of the stack    2 RMW
 *     bytes an item      16 to 32, of the      8 to 32, of the items
 *                        most items there      there are
 *                        ever were
 *
 *     (1) WEFT_LOCKLESS is the same: nothing was found that gives up
 *         strictness and is faster.
 *     (2) But for the allocation of memory, when there are more items than
 *         ever before.
 *
 *       weft_stack *spare;
 *       if (weft_stack_create(&spare, WEFT_LOCKFREE) != WEFT_OK)
 *           return;
 *       if (weft_stack_push(spare, buffer) != WEFT_OK)
 *           free(buffer);
 *       weft_stack_destroy(spare);
 */
#ifndef WEFT_STACK_H
#define WEFT_STACK_H

#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_stack weft_stack;

/*
 * Create an empty stack and store it in `*out`.
 *
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL, `impl` is not one of
 *              the enum) or WEFT_NO_MEMORY, `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_stack_create(weft_stack **out,
                                                          enum weft_impl impl);

/* Free the stack, not its items; NULL is fine.  No other call may be running. */
WEFT_API void weft_stack_destroy(weft_stack *s);

/*
 * Hand each item that is left to `drop`, newest first, and free the stack.
 *
 *   s          NULL is fine; no other call may be running
 *   drop       may not use the stack; NULL: as weft_stack_destroy
 */
WEFT_API void weft_stack_destroy_with(weft_stack *s,
                                      void (*drop)(void *item, void *ctx),
                                      void *ctx);

/*
 * Put `item`, which may be NULL, on top.
 *
 *   returns    WEFT_OK; WEFT_NO_MEMORY, and the item is still the caller's
 *   blocking   never (WEFT_MUTEX: for the few instructions of another call)
 *   progress   the table above
 *   ordering   everything before the push happens-before the return of the
 *              pop that takes the item
 *   threads    any, together with every call but _destroy; not in a signal
 *              handler, as it may allocate
 *   cost       the table above; after a lost race a pause of a few
 *              microseconds; an allocation when there are more items than
 *              ever before, of as many bytes as there are (WEFT_MUTEX: copies
 *              the items then)
 *   caveat     not fair: a thread that loses races may see others go by
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_stack_push(weft_stack *s,
                                                        void *item);

/*
 * Take the item on top into `*item`.
 *
 *   returns    WEFT_OK; WEFT_EMPTY, and `*item` is untouched; it was empty at
 *              a moment of the call
 *   threads    any; WEFT_LOCKFREE also in a signal handler
 *   cost       as weft_stack_push; no allocation
 *   others     as weft_stack_push
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_stack_pop(weft_stack *s,
                                                       void **item);

/*
 * Put `n` items on top, the first of them first, so that the last is on top.
 * One step: no item of another thread comes between.
 *
 *   returns    `n`; 0 if there is no memory, and all are still the caller's
 *   others     as weft_stack_push
 */
WEFT_API WEFT_MUST_USE size_t weft_stack_push_n(weft_stack *s,
                                                void *const *items, size_t n);

/*
 * Take up to `n` items off the top into `items`, newest first.  One step: they
 * lay on one another.
 *
 *   returns    how many, 0 to `n`; the rest of `items` is untouched; fewer
 *              than `n` if there were no more
 *   others     as weft_stack_pop
 *   caveat     WEFT_LOCKFREE looks at `n` items anew after each lost race
 */
WEFT_API WEFT_MUST_USE size_t weft_stack_pop_n(weft_stack *s, void **items,
                                               size_t n);

/*
 * Return how many items are on the stack.
 *
 *   blocking   never
 *   threads    any; also in a signal handler
 *   caveat     exact only while nobody is in another call; WEFT_LOCKFREE reads
 *              17 cache lines
 */
WEFT_API size_t weft_stack_size(const weft_stack *s);

WEFT_END_DECLS

#endif /* WEFT_STACK_H */

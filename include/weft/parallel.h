/* SPDX-License-Identifier: MIT */
/*
 * parallel.h - loops, reductions and maps that the workers of a pool share.
 *
 *   shape      calls that return when all is done; a loop allocates nothing
 *   source     lazy splitting by forks that thieves take: Tzannes, Caragea,
 *              Barua & Vishkin, Lazy Binary-Splitting, PPoPP 2010; we split by
 *              the time that a part takes, not by the length of the deque
 *   sibling    pool.h: what they stand on
 *
 *       static void
 *       scale(size_t begin, size_t end, void *ctx)
 *       {
 *           double *x = ctx;
 *           for (size_t i = begin; i < end; i++)
 *               x[i] *= 2;
 *       }
 *
 *       if (weft_parallel_for(p, 0, n, 0, scale, x) != WEFT_OK)
 *           scale(0, n, x);
 *
 * All but the iterator are done by the workers of `p`.  A caller from outside
 * sleeps until all is done, which is no cancellation point; but where it may
 * choose the parts, and the pool has no initializer, it does the first few
 * microseconds itself.  A task of `p` takes part, and what it calls may do the
 * same at any depth, without more threads.
 *
 * They return, besides what each says, what weft_pool_run does if nothing was
 * begun: WEFT_CLOSED, WEFT_CANCELLED, WEFT_BROKEN, WEFT_NO_MEMORY.  Everything
 * before a call happens-before the functions that it calls, and those
 * happen-before its return.
 *
 * The functions return; none ends its thread.  What they note with weft_fail is
 * forgotten where they have no way to return it.
 */
#ifndef WEFT_PARALLEL_H
#define WEFT_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/fail.h>
#include <weft/pool.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* Does what there is to do for the numbers from `begin` to `end` - 1. */
typedef void weft_range_fn(size_t begin, size_t end, void *ctx);

/*
 * Call `fn` for parts that together are the numbers from `begin` to `end` - 1,
 * each once.
 *
 *   end        not above `begin`: nothing is called
 *   grain      how many numbers a part has at most; 0: parts of about 10
 *              microseconds
 *   returns    WEFT_OK; WEFT_INVALID (`fn` is NULL); see above
 *   cost       of a part, a fork and a join; with a grain of 0, two readings of
 *              the clock
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_parallel_for(weft_pool *p, size_t begin, size_t end, size_t grain,
                  weft_range_fn *fn, void *ctx);

/*
 * Let `results[i]` be `fn(items[i])` for each `i` below `n`.
 *
 *   results    may be NULL, and may be `items`
 *   deadline   none is begun from then on
 *   failure    may be NULL; on WEFT_FAILED the lowest index that has failed, and
 *              how, valid until the thread calls weft_parallel_map or _invoke
 *              again, or ends; in a task, until it waits for something
 *   returns    WEFT_OK; WEFT_FAILED, one has failed: those before it were all
 *              called, unless the deadline came first; those after it that had
 *              not begun were not; WEFT_TIMEOUT, not all were begun;
 *              WEFT_INVALID (`fn` is NULL); see above.  Results of those that
 *              were not called, or have failed, are not written
 *   blocking   until those that were begun are done, also after the deadline
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_parallel_map(weft_pool *p, weft_fn *fn, void *const *items, void **results,
                  size_t n, weft_deadline deadline, weft_failure *failure);

/*
 * Bring what is in the parts of a range together.
 *
 *   grain      as weft_parallel_for
 *   bytes      of an accumulator; they are copied
 *   result     before: what nothing adds up to, such as 0 for a sum, from which
 *              all accumulators start; after: the result
 *   fold       adds the numbers from `begin` to `end` - 1 to `*into`
 *   combine    adds `*from`, which is for numbers that follow those of `*into`
 *   returns    WEFT_OK; WEFT_INVALID (`result`, `fold` or `combine` is NULL, or
 *              `bytes` is 0); see above
 *   cost       accumulators of more than 64 bytes are allocated, one at the
 *              beginning, which may say WEFT_NO_MEMORY, and one a steal
 *   caveat     `combine` need be associative only, but where the parts begin
 *              changes from call to call: sums of floating-point numbers do too
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_parallel_reduce(
    weft_pool *p, size_t begin, size_t end, size_t grain, size_t bytes,
    void *result, void (*fold)(void *into, size_t begin, size_t end, void *ctx),
    void (*combine)(void *into, const void *from, void *ctx), void *ctx);

/*
 * Let `results[i]` be `fns[i](args[i])` for each `i` below `n`.
 *
 *   args       may be NULL: each gets NULL
 *   results, failure, returns   as weft_parallel_map
 *   caveat     whether two run at the same time is not promised: none may wait
 *              for another
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_parallel_invoke(weft_pool *p, weft_fn *const *fns, void *const *args,
                     void **results, size_t n, weft_failure *failure);

/* Gives the results of a function, in the order of its items, as they come. */
typedef struct weft_map_iter weft_map_iter;

/*
 * Begin to call `fn` for what `next` brings, and store the iterator in `*out`.
 *
 *   next       stores an item and returns true, or returns false: there is no
 *              more.  Called only by the thread that creates or reads, and only
 *              when there is room in the window
 *   drop       gets each item that `fn` will not be called for; NULL: none.  The
 *              pool's own `drop` does not
 *   ctx        for both
 *   window     how many items are in flight or wait to be read, at most; 0:
 *              twice as many as `p` has workers
 *   deadline   one for all reads
 *   returns    WEFT_OK; WEFT_INVALID (`out`, `fn` or `next` is NULL),
 *              WEFT_NO_MEMORY: `next` was not called.  That the pool takes
 *              nothing is said by the first read
 *   blocking   with max_pending, until one item is in the queue
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_map_iter_create(weft_map_iter **out, weft_pool *p, weft_fn *fn,
                     bool (*next)(void *ctx, void **item),
                     void (*drop)(void *item, void *ctx), void *ctx,
                     size_t window, weft_deadline deadline);

/*
 * Take the next result.
 *
 *   returns    WEFT_OK; WEFT_CLOSED, there is no more; WEFT_FAILED, see
 *              weft_map_iter_error, and what had not begun is dropped;
 *              WEFT_CANCELLED, the pool was shut down, or WEFT_BROKEN: the same;
 *              WEFT_NO_MEMORY, the same; after one of these, WEFT_CLOSED.
 *              WEFT_TIMEOUT, the deadline came first: it can be called again,
 *              and gives what has come meanwhile
 *   blocking   until the oldest item is done; a cancellation point then, which
 *              loses nothing.  A task of the pool runs other tasks meanwhile
 *   ordering   everything in `fn` happens-before WEFT_OK and WEFT_FAILED
 *   threads    one at a time
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_map_iter_next(weft_map_iter *it,
                                                           void **result);

/* Return how the item failed for which weft_map_iter_next said WEFT_FAILED;
 * else NULL.  Valid until the iterator is destroyed. */
WEFT_API const weft_error *weft_map_iter_error(const weft_map_iter *it);

/*
 * Give the iterator back, also before its end: what has not begun is dropped,
 * what runs goes on and its result is lost.  NULL is fine.
 *
 *   requires   no other call is running
 */
WEFT_API void weft_map_iter_destroy(weft_map_iter *it);

WEFT_END_DECLS

#endif /* WEFT_PARALLEL_H */

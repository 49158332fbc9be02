/* SPDX-License-Identifier: MIT */
/*
 * barrier.h - a point where a number of threads wait for each other, again and
 * again.
 *
 *   shape      32 bytes; made by _init; no destroy: it may be freed as soon as
 *              every thread has returned from its last wait
 *   source     original; what breaking and resetting mean is after Python's
 *              threading.Barrier
 *
 * A barrier is filling until all parties have come; the last one runs the
 * action, and all leave.  It can be broken, by a deadline that passes, a failed
 * action, a cancelled thread or _abort: then everyone gets WEFT_BROKEN, now and
 * later, until _reset.
 *
 *       weft_barrier step;
 *       if (weft_barrier_init(&step, 4, add_up, &sums) != WEFT_OK)
 *           return;
 *       ... in each of four threads:
 *       size_t index;
 *       while (weft_barrier_wait(&step, WEFT_FOREVER, &index) == WEFT_OK)
 *           work(index);
 */
#ifndef WEFT_BARRIER_H
#define WEFT_BARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* The fields are private. */
typedef struct weft_barrier {
    union {
        WEFT_ATOMIC(uint64_t) whole;
        WEFT_ATOMIC(uint32_t) half[2];
    } state;
    uint32_t parties;
    enum weft_status (*action)(void *ctx);
    void *ctx;
} weft_barrier;

/* No more can take part. */
#define WEFT_BARRIER_PARTIES_MAX 0x3fffffffu

/*
 * Make `b` a barrier for `parties` threads.
 *
 *   parties    1 to WEFT_BARRIER_PARTIES_MAX
 *   action     the last to come calls action(ctx) before anyone is released;
 *              NULL for none.  It may use Weft, but not this barrier.
 *   returns    WEFT_OK; WEFT_INVALID for another `parties`
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_barrier_init(weft_barrier *b, uint32_t parties,
                  enum weft_status (*action)(void *ctx), void *ctx);

/*
 * Wait until as many threads as there are parties have come.
 *
 *   deadline   absolute [ns]; if it passes first the barrier is broken, so
 *              WEFT_NOW breaks it unless this thread is the last.  The time of
 *              the action counts
 *   index      in which place this thread came, from 0; may be NULL
 *   returns    WEFT_OK; else `*index` is untouched: WEFT_TIMEOUT, and the
 *              barrier is broken; WEFT_BROKEN, broken by somebody else, or
 *              reset while this thread waited; what the action returned, if
 *              this thread called it and it failed: broken too
 *   blocking   spins for some microseconds if the parties have a CPU each,
 *              otherwise yields its CPU some times; then sleeps.  Where it
 *              sleeps it is a cancellation point: a thread that is cancelled
 *              there, or ends in the action, breaks the barrier
 *   progress   blocking; a thread that comes for the next round while the
 *              action of this one runs waits before it is counted
 *   ordering   what each thread did before its wait happens-before the action,
 *              and the action before every return of WEFT_OK
 *   cost       one compare-and-swap; one more and a system call to sleep; one
 *              system call of the last to wake all
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_barrier_wait(weft_barrier *b, weft_deadline deadline, size_t *index);

/*
 * Make it whole again: who waits now gets WEFT_BROKEN, who comes later starts
 * a new round.
 *
 *   blocking   never; later waits do, until those that waited have left
 */
WEFT_API void weft_barrier_reset(weft_barrier *b);

/*
 * Break it: who waits now, and who comes later, gets WEFT_BROKEN until a reset.
 *
 *   ordering   everything before happens-before those returns
 *   blocking   never
 */
WEFT_API void weft_barrier_abort(weft_barrier *b);

/* Whether it is broken and not being reset. */
WEFT_API bool weft_barrier_is_broken(const weft_barrier *b);

/* How many threads wait for others to come; 0 once all have, or if broken. */
WEFT_API size_t weft_barrier_waiting(const weft_barrier *b);

WEFT_END_DECLS

#endif /* WEFT_BARRIER_H */

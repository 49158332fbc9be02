/* SPDX-License-Identifier: MIT */
/*
 * semaphore.h - a number of units that threads take and give back; who finds
 * none waits.
 *
 *   shape      24 bytes in the caller's memory; zero bytes are a semaphore of
 *              value 0 without a bound; needs no destroy
 *   source     original; a wake-up that is counted beside the units: Birrell,
 *              "Implementing Condition Variables with Semaphores", 2004
 *   sibling    mutex.h, which knows its owner
 *
 *       static weft_semaphore connections = WEFT_SEMAPHORE_INIT(3, 3);
 *
 *       if (weft_semaphore_acquire(&connections, weft_in_ms(200)) != WEFT_OK)
 *           return busy();
 *       serve();
 *       weft_semaphore_release(&connections, 1);
 *
 * A semaphore has no owner: any thread may release.  It may be freed by a
 * thread that has acquired what another released, also while that release has
 * not returned yet.
 */
#ifndef WEFT_SEMAPHORE_H
#define WEFT_SEMAPHORE_H

#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* No bound but that of the number: 2^32 - 1 units. */
#define WEFT_NO_MAX UINT32_MAX

/* The fields are private. */
typedef struct weft_semaphore {
    WEFT_ATOMIC(uint64_t) word;   /* value, and who waits */
    uint32_t not_max;             /* UINT32_MAX - max */
    WEFT_ATOMIC(uint32_t) wakes;  /* granted and not yet used up */
    WEFT_ATOMIC(uint32_t) handed; /* 1: the starved thread has a unit */
    WEFT_ATOMIC(uint32_t) waker;  /* its CPU */
} weft_semaphore;

/* A semaphore of `value` units and never more than `max`. */
#define WEFT_SEMAPHORE_INIT(value, max)                \
    {                                                  \
        (value), UINT32_MAX - (uint32_t)(max), 0, 0, 0 \
    }

/*
 * Set `s` up with `value` units and never more than `max`.
 *
 *   max        WEFT_NO_MAX for no bound [units]
 *   returns    WEFT_OK; WEFT_INVALID if `value` is above `max`, `*s` untouched
 *   requires   nobody uses `s`
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_semaphore_init(weft_semaphore *s, uint32_t value, uint32_t max);

/*
 * Take one unit, waiting until there is one or `deadline` has passed.
 *
 *   deadline   WEFT_NOW: never wait
 *   returns    WEFT_OK, with the unit, also after the deadline if there is one;
 *              WEFT_TIMEOUT, without
 *   blocking   spins briefly, then sleeps in the kernel; then it is a
 *              cancellation point
 *   progress   a thread that comes may take a unit ahead of one that waits;
 *              who has lost for 1 ms is handed the next unit
 *   ordering   everything before the release of a unit happens-before the
 *              return of the acquire that takes it
 *   cost       where there is a unit: one atomic read-modify-write
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_semaphore_acquire(weft_semaphore *s, weft_deadline deadline);

/*
 * Add `n` units at once and wake up to `n` waiting threads.
 *
 *   returns    WEFT_OK; else nothing was added: WEFT_INVALID if `n` is 0,
 *              WEFT_OVERFLOW if the value would pass the maximum
 *   blocking   never
 *   progress   lock-free: a retry means that another call went ahead
 *   threads    any, whoever acquired; not from a signal handler
 *   cost       one atomic read-modify-write; a system call only for a thread
 *              that sleeps and that nobody has woken yet
 */
WEFT_API enum weft_status weft_semaphore_release(weft_semaphore *s, uint32_t n);

/*
 * Return how many units there are to take.
 *
 *   returns    exact while nobody acquires or releases
 */
WEFT_API uint32_t weft_semaphore_value(const weft_semaphore *s);

/* What the inline parts call when they cannot go on. */
WEFT_API enum weft_status weft_semaphore_acquire_slow_(weft_semaphore *s,
                                                       weft_deadline deadline);
WEFT_API enum weft_status weft_semaphore_release_slow_(weft_semaphore *s,
                                                       uint32_t n);

#if !defined(WEFT_NO_INLINE)
WEFT_INLINE enum weft_status
weft_semaphore_acquire(weft_semaphore *s, weft_deadline deadline)
{
    uint64_t w = WEFT_LOAD_(&s->word, relaxed);

    return WEFT_LOAD_(&weft_self_, relaxed) != 0 && (w & UINT32_MAX) != 0 &&
                   WEFT_CAS_(&s->word, &w, w - 1, acquire)
               ? WEFT_OK
               : weft_semaphore_acquire_slow_(s, deadline);
}

/* If somebody waits, the word is above every maximum. */
WEFT_INLINE enum weft_status
weft_semaphore_release(weft_semaphore *s, uint32_t n)
{
    uint64_t w = WEFT_LOAD_(&s->word, relaxed);

    return WEFT_LOAD_(&weft_self_, relaxed) != 0 && n != 0 &&
                   w + n <= UINT32_MAX - s->not_max &&
                   WEFT_CAS_(&s->word, &w, w + n, release)
               ? WEFT_OK
               : weft_semaphore_release_slow_(s, n);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_SEMAPHORE_H */

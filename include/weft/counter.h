/* SPDX-License-Identifier: MIT */
/*
 * counter.h - a 64-bit sum that many threads add to and few read.
 *
 *   shape      MUTEX, ATOMIC: two cache lines; PERCPU: one line more for each
 *              CPU the machine can have, however many threads there are
 *   source     PERCPU: restartable sequences, Paul Turner and Andrew Hunter,
 *              "PerCpu Atomics", Linux Plumbers Conference 2013
 *
 *       weft_counter *hits;
 *       if (weft_counter_create(&hits, WEFT_COUNTER_PERCPU) != WEFT_OK)
 *           return;
 *       weft_counter_add(hits, 1);                     // in any thread
 *       printf("%lld\n", (long long)weft_counter_sum(hits));
 *       weft_counter_destroy(hits);
 */
#ifndef WEFT_COUNTER_H
#define WEFT_COUNTER_H

#include <stdint.h>

#include <weft/base.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

enum weft_counter_kind {
    WEFT_COUNTER_PERCPU, /* a cell per CPU: adds share nothing, a sum visits
                            every cell */
    WEFT_COUNTER_ATOMIC, /* one word, one atomic addition */
    WEFT_COUNTER_MUTEX   /* one word under a mutex: the specification */
};

typedef struct weft_counter weft_counter;

/*
 * Create a counter that stands at 0 and store it in `*out`.
 *
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL, `kind` is not one of
 *              the enum) or WEFT_NO_MEMORY, `*out` untouched
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_counter_create(weft_counter **out, enum weft_counter_kind kind);

/* Free the counter; NULL is fine.  No other call on it may be running. */
WEFT_API void weft_counter_destroy(weft_counter *c);

/*
 * Add `n`, which may be negative.  The sum wraps around at 64 bits.
 *
 *   blocking   never (MUTEX: for the few instructions of another call)
 *   progress   ATOMIC, PERCPU wait-free; MUTEX blocking
 *   ordering   none: a counter counts, it does not publish
 *   threads    any, together with every call but _destroy; ATOMIC and PERCPU
 *              also from a signal handler
 *   cost       ATOMIC: one atomic addition.  PERCPU: an ordinary addition to a
 *              line of this CPU's own, no locked instruction; an atomic one
 *              each time the kernel breaks that off, and everywhere if the
 *              system has no restartable sequences
 */
WEFT_API void weft_counter_add(weft_counter *c, int64_t n);

/*
 * Return what the additions so far come to.
 *
 *   returns    exact while nobody adds; else a value that counts each addition
 *              which happens-before the call, and any part of those that run
 *              meanwhile
 *   progress   wait-free
 *   cost       PERCPU: one cache line per CPU; else one load
 */
WEFT_API int64_t weft_counter_sum(const weft_counter *c);

/*
 * Take the sum away: count from 0 again.
 *
 *   returns    the sum that was taken away; what all resets and a last sum
 *              return adds up to all additions, each counted exactly once
 *   progress   MUTEX blocking, ATOMIC wait-free, PERCPU lock-free: a retry
 *              means that another reset went ahead
 *   threads    any, together with every call but _destroy
 */
WEFT_API int64_t weft_counter_reset(weft_counter *c);

WEFT_END_DECLS

#endif /* WEFT_COUNTER_H */

/* SPDX-License-Identifier: MIT */
/*
 * base/park.h - the one place that waits.
 *
 *   words          a thread sleeps while a 32-bit word, or the low half of a
 *                  64-bit one, has a value; others change the word and wake
 *                  one, n or all of the sleepers.  For locks, whose state is
 *                  such a word.
 *   event counts   a thread takes a ticket, looks, and sleeps until a signal
 *                  that came after the ticket; a signal wakes all.  For
 *                  structures without a lock, which have no such word.
 *   shape          a word is the caller's; an event count is 8 bytes, zero
 *                  bytes are a valid one, and it needs no destroy
 *   source         event counts: Concurrency Kit's ck_ec (Khuong, 2018)
 *   requires       all threads of one object belong to one process
 *
 * The model build replaces this header's functions as a whole, so nothing of
 * the system shows here.  No call changes errno.
 *
 *       while (!try_to_take(word))                               a lock
 *           if (weft_park_wait_(word, HELD, d) == WEFT_TIMEOUT)
 *               return WEFT_TIMEOUT;
 *
 *       for (;;) {                                               a structure
 *           uint64_t t = weft_event_count_ticket_(&e);           without one
 *           if (take(&item))
 *               return WEFT_OK;
 *           if (weft_event_count_wait_(&e, t, d) == WEFT_TIMEOUT)
 *               return WEFT_TIMEOUT;
 *       }
 */
#ifndef WEFT_BASE_PARK_H
#define WEFT_BASE_PARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/deadline.h>
#include <weft/status.h>

/*
 * Sleep while `*word` is `expected`, but not longer than `deadline`.
 *
 *   returns    WEFT_OK if woken, or if `*word` was another value, or for no
 *              reason: look again; WEFT_TIMEOUT not before `deadline`
 *   blocking   sleeps in the kernel at once (weft_park_spin_ is the caller's to
 *              call first); a signal handler runs and the sleep goes on;
 *              WEFT_NOW or an earlier deadline never enters the kernel
 *   ordering   the kernel compares and goes to sleep in one step: who changes
 *              `*word` and then wakes is never missed.  What the change
 *              publishes is the caller's edge: load `*word` with acquire
 */
WEFT_MUST_USE enum weft_status weft_park_wait_(_Atomic uint32_t *word,
                                               uint32_t expected,
                                               weft_deadline deadline);

/*
 * What is called in a wait without a deadline whenever it has gone on for long:
 * at first after WEFT_PARK_LONG_MS, then when it says.  NULL: nothing.
 *
 *   word       where the thread slept, while it was `expected`
 *   again_ms   to be set: how long to sleep until the next call
 *   returns    WEFT_OK: wait on; or what weft_park_wait_ and the others return
 *              then, which only callers get that know of it
 */
typedef enum weft_status weft_park_look(const void *word, uint32_t expected,
                                        int64_t *again_ms);
extern weft_park_look *_Atomic weft_park_look_;

#define WEFT_PARK_LONG_MS 20

/*
 * For a function that a cancelled thread leaves while it waits inside, and that
 * has a cleanup handler or variables that others see: else AddressSanitizer
 * takes what the function leaves on the stack for somebody's mistake.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define WEFT_LEFT_WHEN_CANCELLED_ __attribute__((no_sanitize("address")))
#else
#define WEFT_LEFT_WHEN_CANCELLED_
#endif

/*
 * Otherwise as weft_park_wait_, and a cancellation point: a thread that is
 * cancelled meanwhile ends here, through the cleanup handlers of its caller.
 *
 *   requires   the caller has pushed a handler (pthread_cleanup_push) that
 *              leaves the object as a timeout would
 *   caveat     the thread may have been woken already when it is cancelled: the
 *              handler must pass on a wake-up that was meant for one thread
 */
WEFT_MUST_USE enum weft_status weft_park_wait_cancel_(_Atomic uint32_t *word,
                                                      uint32_t expected,
                                                      weft_deadline deadline);

/*
 * Wake at most `n` threads that sleep on `word`, who slept longest first.
 *
 *   returns    how many were woken
 *   blocking   never
 *   cost       a system call even if nobody sleeps: the caller's word says
 *              whether somebody may
 *   caveat     `*word` may be freed memory by now: a thread that sleeps on what
 *              has come to live there wakes for no reason
 */
unsigned weft_park_wake_(const _Atomic uint32_t *word, unsigned n);

/* Wake every thread that sleeps on `word`; otherwise as weft_park_wake_. */
unsigned weft_park_wake_all_(const _Atomic uint32_t *word);

/*
 * Watch `*word` for a short while, for it to become other than `expected`.
 *
 *   returns    whether it did; false at once where this process has one CPU,
 *              because then nobody can change it meanwhile
 *   blocking   spins for about WEFT_PARK_SPIN_NS
 *   ordering   none: look again, with the order you need
 */
bool weft_park_spin_(const _Atomic uint32_t *word, uint32_t expected);

/* Whether this process has more than one CPU, so that spinning makes sense. */
bool weft_park_may_spin_(void);

/*
 * The same for a wait for several threads: with a CPU for each of the `threads`
 * it spins at first, and then, or with fewer, it lets them run.
 *
 *   returns    whether `*word` became other than `expected`
 *   blocking   spins for about WEFT_PARK_SPIN_NS, then yields its CPU twice; or
 *              yields it up to WEFT_PARK_YIELDS times, until about
 *              WEFT_PARK_YIELD_NS are over
 */
bool weft_park_linger_(const _Atomic uint32_t *word, uint32_t expected,
                       unsigned threads);

/*
 * The same for an object whose state is a 64-bit word: sleep while the low half
 * of `*word` is that of `expected`, whatever the other half does.
 *
 *   returns, blocking, ordering   as weft_park_wait_cancel_
 */
WEFT_MUST_USE enum weft_status weft_park_wait_cancel64_(_Atomic uint64_t *word,
                                                        uint64_t expected,
                                                        weft_deadline deadline);

/* Wake every thread that sleeps on `word`; otherwise as weft_park_wake_. */
unsigned weft_park_wake_all64_(const _Atomic uint64_t *word);

/* Watch the bits of `mask` in `*word`; otherwise as weft_park_spin_. */
bool weft_park_spin64_(const _Atomic uint64_t *word, uint64_t mask,
                       uint64_t expected);

/*
 * Return the number of the calling thread's CPU, and one.  Where the last
 * thread that woke another ran on the CPU of the one that is to wait now, that
 * one need not spin: it would keep the other from running.  A hint, no more.
 */
uint32_t weft_park_here_(void);

/*
 * How long a wait spins before it sleeps [ns].  doc/design/park.md has the
 * measurement: about what a sleep and a wake-up on another CPU cost.
 */
#define WEFT_PARK_SPIN_NS 4000

/*
 * How often a wait yields before it sleeps, and for how long: a yield that
 * takes long went to a thread that has other work.  doc/design/barrier.md.
 */
#define WEFT_PARK_YIELDS   8
#define WEFT_PARK_YIELD_NS 50000

/*
 * Count again how many CPUs this process has.  The first wait counts them; a
 * later change of affinity or quota is not seen until this call.
 */
void weft_park_recount_(void);

/* Private to park.c; copied never. */
struct weft_event_count {
    uint64_t counter;
};

#define WEFT_EVENT_COUNT_INIT \
    {                         \
        0                     \
    }

/*
 * Return the number of signals so far.  Look after it at what a signal would
 * announce, and wait only if it is not there.
 *
 *   ordering   what a signaller did before a signal that the ticket counts
 *              happens-before the return
 *   cost       one load
 */
uint64_t weft_event_count_ticket_(struct weft_event_count *e);

/*
 * Sleep until a signal comes that `ticket` does not count, but not longer than
 * `deadline`.
 *
 *   returns    WEFT_OK after such a signal; WEFT_TIMEOUT not before `deadline`
 *   blocking   spins for WEFT_PARK_SPIN_NS where there is more than one CPU,
 *              then sleeps in the kernel; a signal handler runs and the sleep
 *              goes on; WEFT_NOW or an earlier deadline never does either
 *   ordering   what a signaller did before the signal happens-before WEFT_OK
 */
WEFT_MUST_USE enum weft_status
weft_event_count_wait_(struct weft_event_count *e, uint64_t ticket,
                       weft_deadline deadline);

/*
 * Let every wait whose ticket was taken before return.
 *
 *   blocking   never
 *   cost       one atomic read-modify-write; a system call only if a thread
 *              sleeps, or slept when the last signal came
 */
void weft_event_count_signal_(struct weft_event_count *e);

#endif /* WEFT_BASE_PARK_H */

/* SPDX-License-Identifier: MIT */
/*
 * timer.h - calls a function once, at a point in time, in a thread for that.
 *
 *   shape      one heap and one thread, "weft-timer", for all timers of the
 *              process; the thread is there only while there are timers
 *   source     Python's threading.Timer, which has a thread for each
 *   sibling    a deadline (deadline.h), where somebody waits anyway
 *
 *       weft_timer *t;
 *       if (weft_timer_start(&t, weft_in_s(5), give_up, job) == WEFT_OK) {
 *           work_on(job);
 *           weft_timer_cancel(t);
 *           weft_timer_release(t);
 *       }
 *
 * Timers run one after another, in the order of their deadlines, equal ones in
 * the order they were started: a function that takes long makes the next late,
 * and loses none.  The clock is CLOCK_MONOTONIC, so setting the time of day
 * does not matter.
 */
#ifndef WEFT_TIMER_H
#define WEFT_TIMER_H

#include <stdbool.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_timer weft_timer;

/*
 * Call `fn(arg)` once `when` has come.
 *
 *   out        the timer, to be given to weft_timer_release; NULL: nobody will
 *              cancel it or wait for it
 *   when       absolute, monotonic clock [ns]; WEFT_NOW or one that has passed:
 *              as soon as the timers before it have run; WEFT_FOREVER: never
 *   fn         runs in the timer thread, with no lock held; it may start,
 *              cancel and release timers, itself too
 *   returns    WEFT_OK; else WEFT_INVALID (`fn` is NULL), WEFT_NO_MEMORY or
 *              WEFT_SYSTEM (there is no thread to be had; errno says why),
 *              `*out` untouched
 *   requires   `fn` returns: it does not end its thread
 *   blocking   for the few instructions of another call; the first timer waits
 *              until the thread has started
 *   ordering   everything before the start happens-before `fn`
 *   cost       an allocation; a system call if it is earlier than all others
 *   caveat     keeps no process alive: what has not run when main returns or
 *              exit is called does not run
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_timer_start(weft_timer **out,
                                                         weft_deadline when,
                                                         void (*fn)(void *arg),
                                                         void *arg);

/*
 * Keep `t` from running, if its time has not come.
 *
 *   returns    true: it never runs, cancelled by this call or an earlier one;
 *              false, and nothing is changed: it has run or runs now
 *   blocking   for the few instructions of another call; never for `fn`
 */
WEFT_API bool weft_timer_cancel(weft_timer *t);

/*
 * Wait until `t` has run or is cancelled, but not longer than `deadline`.
 *
 *   returns    WEFT_OK, it has run; WEFT_CANCELLED, it never will;
 *              WEFT_TIMEOUT; WEFT_DEADLOCK: the caller is the function of a
 *              timer, so that `t` does not end before the caller returns
 *              (with WEFT_NOW that is a try, and WEFT_TIMEOUT)
 *   blocking   sleeps; a cancellation point
 *   ordering   what `fn` did happens-before WEFT_OK
 *   threads    any number at the same time, and again afterwards
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_timer_join(weft_timer *t,
                                                        weft_deadline deadline);

/*
 * Give up the caller's hold on `t`, which may not be used afterwards; NULL is
 * fine.
 *
 *   caveat     does not cancel: it still runs when its time comes
 */
WEFT_API void weft_timer_release(weft_timer *t);

WEFT_END_DECLS

#endif /* WEFT_TIMER_H */

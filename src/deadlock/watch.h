/* SPDX-License-Identifier: MIT */
/*
 * deadlock/watch.h - what every primitive tells about its threads: what a
 * thread waits for, always; what it holds, while somebody watches.
 *
 * A wait is on the slow way already, so it is always published: a few plain
 * stores into the thread's own record.  Acquiring and releasing are on the fast
 * way: the inline paths fail while somebody watches (base/self.h), so their
 * one branch on the thread's tag is all that watching costs when it is off.
 * The functions behind them ask weft_watching_() and tell.
 *
 *       enum weft_status s = weft_watch_block_(m, WEFT_KIND_MUTEX, deadline);
 *       if (s != WEFT_OK)
 *           return s;
 *       ... weft_park_wait_ ...
 *       weft_watch_unblock_();
 *
 * Ordering
 *     watch.short  what the short ways stand on was changed  ->  a thread looks
 */
#ifndef WEFT_DEADLOCK_WATCH_H
#define WEFT_DEADLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/deadline.h>
#include <weft/status.h>

#include "base/self.h"
#include "deadlock/kind.h"
#include "deadlock/watch_order.h"

extern _Atomic bool weft_watch_on_;

/* Whether somebody watches what threads hold. */
static inline bool
weft_watching_(void)
{
    return atomic_load_explicit(&weft_watch_on_, memory_order_relaxed);
}

/* Another number each time something changes by which a thread knows that its
 * short ways do (deadlock/watch_short.h); never 0. */
extern _Atomic uint32_t weft_watch_short_;
void weft_watch_changed_(void);

/* In the call of a user that is under way; 0: not known. */
extern __thread uintptr_t weft_watch_caller_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * At the begin of a function that a user calls and that may wait or take
 * something: note from where.
 */
#define WEFT_WATCH_CALL_() weft_watch_call_(__builtin_return_address(0))
static inline void
weft_watch_call_(const void *from)
{
    if (weft_watching_())
        weft_watch_caller_ = (uintptr_t)from - 1; /* inside the call */
}

/* The same for one who knows from where. */
static inline void
weft_watch_called_from_(uintptr_t place)
{
    if (weft_watching_())
        weft_watch_caller_ = place;
}

/* Begin to note what threads hold, or end it.  Locks held already are not
 * noted. */
void weft_watch_enable_(bool on);

/*
 * The calling thread is about to sleep until it gets `object`, or `deadline`.
 *
 *   returns    WEFT_OK; WEFT_DEADLOCK: do not wait, it would close a cycle, and
 *              nothing is to be undone by weft_watch_unblock_
 */
WEFT_MUST_USE enum weft_status weft_watch_block_(const void *object,
                                                 enum weft_kind kind,
                                                 weft_deadline deadline);

/* The wait that was just published goes on whatever the detector says. */
void weft_watch_insist_(void);

/* It no longer waits; safe to call as a cleanup handler, and more than once. */
void weft_watch_unblock_(void);

/*
 * What the thread of `s` waits for has come, but it wants `lock` again first,
 * which the calling thread holds; ask weft_watching_.
 *
 *   requires   it cannot end meanwhile
 */
void weft_watch_told_(struct weft_self *s, const void *lock,
                      enum weft_kind kind);

/* The calling thread would have to wait for `object`, which it has itself; or,
 * its wait being published, for the end of a thread that waits for its own. */
void weft_watch_own_(const void *object, enum weft_kind kind);

/* Called by weft_watch_own_ and weft_watch_wanted_; NULL: nobody is
 * interested. */
typedef void weft_watch_tell(struct weft_self *s, const void *object,
                             enum weft_kind kind);
extern weft_watch_tell *_Atomic weft_watch_tell_own_;
extern weft_watch_tell *_Atomic weft_watch_tell_wanted_;

/* It is about to take `object`, and would wait for it until `deadline`; ask
 * weft_watching_. */
void weft_watch_tell_of_wanted_(const void *object, enum weft_kind kind);
static inline void
weft_watch_wanted_(const void *object, enum weft_kind kind,
                   weft_deadline deadline)
{
    if (deadline == WEFT_FOREVER && weft_watch_graph_now_() != NULL)
        weft_watch_wants_(object, kind);
    if (atomic_load_explicit(&weft_watch_tell_wanted_, memory_order_relaxed) !=
        NULL)
        weft_watch_tell_of_wanted_(object, kind);
}

/* The calling thread has got, or gives up, `object`; ask weft_watching_ first.
 * What was never noted is given up without harm. */
void weft_watch_acquired_(const void *object, enum weft_kind kind);
void weft_watch_released_(const void *object, enum weft_kind kind);

/* Semaphores, of which some serve as locks (watch_semaphore.c); one that never
 * passes 1 is binary.  One begins; it belongs to the library, and is none. */
void weft_watch_begins_at_(const void *semaphore, uint32_t value,
                           bool is_binary);
void weft_watch_is_no_lock_(const void *semaphore);

/* It is about to be taken, being at `value`: whether it is a lock; then it is to
 * be told of as one. */
bool weft_watch_takes_lock_(const void *semaphore, uint32_t value,
                            bool is_binary);

/* The calling thread posts it `n` times. */
void weft_watch_posts_(const void *semaphore, uint32_t n, bool is_binary);

#endif /* WEFT_DEADLOCK_WATCH_H */

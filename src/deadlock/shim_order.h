/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim_order.h - what the hooks tell what predicts (order.h), and what
 * that has found.
 *
 *   idea       a lock that was waited for, or would have been, is told with all
 *              that its thread holds, unless that was told before; so is what
 *              orders threads
 *   shape      nothing here does anything if nothing is to be predicted; errno
 *              is kept
 */
#ifndef WEFT_DEADLOCK_SHIM_ORDER_H
#define WEFT_DEADLOCK_SHIM_ORDER_H

#include "deadlock/shim.h"

/* The graph; NULL: nothing is predicted. */
extern struct weft_order *weft_shim_order_;

/* Make it; in a child of fork, where `me` is the only thread, make another. */
void weft_shim_order_open_(void);
void weft_shim_order_forked_(struct weft_shim_thread *me);

/*
 *   asks       `t` takes what it does not hold afterwards, as a once that has
 *              run; false: it has told that before
 *   awaits     it is about to wait without a deadline for what others have to do
 *   leaves     its routine has returned
 *   ends       it is no more; told by who buries it, or is about to join it
 */
bool weft_shim_asks_(struct weft_shim_thread *t, const void *object,
                     enum weft_kind kind, const struct weft_shim_frame *here);
void weft_shim_awaits_(struct weft_shim_thread *t, const void *object,
                       enum weft_kind kind, const struct weft_shim_frame *here);
void weft_shim_order_creates_(struct weft_shim_thread *me,
                              const struct weft_shim_thread *other);
void weft_shim_order_begins_(struct weft_shim_thread *t);
void weft_shim_order_leaves_(struct weft_shim_thread *t);
void weft_shim_order_ends_(struct weft_shim_thread *t, bool is_joined);

/* Copy one lock that a thread holds. */
void weft_shim_copy_hold_(struct weft_dl_held *to,
                          const struct weft_shim_hold *from);

/* These bytes begin a new life; a lock does. */
void weft_shim_forgets_(const void *object, size_t bytes);
void weft_shim_forgets_lock_(const void *lock, size_t bytes);

/*
 * A lock begins its life, by a call of `t`: it alone knows of it, until it gives
 * up any lock, or starts or tells or lets go on another thread.  Until then it
 * waits for nobody there and nobody for it.
 */
extern const char weft_shim_made_[1];
void weft_shim_makes_(struct weft_shim_thread *t, const void *lock);
bool weft_shim_is_own_(const struct weft_shim_thread *t, const void *lock);

static inline void
weft_shim_publishes_(struct weft_shim_thread *t)
{
    if (t->gave == weft_shim_made_)
        t->gave = t->gave_before;
}

/* There is a lock: its memory may be freed, which is then told. */
void weft_shim_seen_at_(const void *lock);

/* Which thread `self` is, that nobody has joined; NULL: not known.  `me` has
 * joined it; or nobody ever will. */
struct weft_shim_thread *weft_shim_claim_(pthread_t self);
void weft_shim_unclaim_(struct weft_shim_thread *t);
void weft_shim_joined_(struct weft_shim_thread *me,
                       struct weft_shim_thread *joined);
void weft_shim_detached_(struct weft_shim_thread *t);

/*
 * A condition is told; begins a new life.  A wait for it begins, by who holds
 * `mutex`: returns where it was locked.  `t` has the mutex again, and was told,
 * unless a deadline has passed or the wait was cancelled.
 */
void weft_shim_tells_(const void *cond);
void weft_shim_forgets_cond_(const void *cond, size_t bytes);
struct weft_dl_place weft_shim_listens_(struct weft_shim_thread *t,
                                        const void *cond, const void *mutex);
void weft_shim_told_(struct weft_shim_thread *t, const void *cond,
                     const void *mutex, const struct weft_dl_place *place,
                     bool was_told);

/* A barrier is reached; left.  A once has run; is passed. */
void weft_shim_arrives_(struct weft_shim_thread *t, pthread_barrier_t *b,
                        const struct weft_shim_frame *here);
void weft_shim_leaves_(struct weft_shim_thread *t, const void *barrier);
void weft_shim_ran_(struct weft_shim_thread *t, const void *once);
void weft_shim_passed_(struct weft_shim_thread *t, const void *once);

/* A semaphore that began at 1 is a lock, until somebody posts it who has not
 * taken it. */
bool weft_shim_sem_is_lock_(const void *s);

/* Whether it was taken for one, and has turned out to be none. */
bool weft_shim_sem_was_none_(const void *s);

/* It was taken, by a call that `would_wait` for good. */
void weft_shim_sem_took_(struct weft_shim_thread *t, const void *s,
                         bool would_wait, const struct weft_shim_frame *here);
void weft_shim_sem_forked_(void);

/* Tell what was found, as far as it is not told; whether there is more. */
void weft_shim_tell_predicted_(void);
bool weft_shim_has_predicted_(void);
void weft_shim_predict_forked_(void);

#endif /* WEFT_DEADLOCK_SHIM_ORDER_H */

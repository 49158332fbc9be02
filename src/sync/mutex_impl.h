/* SPDX-License-Identifier: MIT */
/*
 * sync/mutex_impl.h - what the locks that are made of a mutex, and cond, need
 * to know about it.
 *
 * Ordering.
 *
 *     mutex.hand_over   unlock lets go of the word  ->  lock, trylock take it
 */
#ifndef WEFT_SYNC_MUTEX_IMPL_H
#define WEFT_SYNC_MUTEX_IMPL_H

#include <weft/mutex.h>
#include <weft/rmutex.h>

#include "base/self.h"
#include "deadlock/watch_short.h"

#define WEFT_MUTEX_SLEEPERS_ 1u /* somebody may sleep: unlock wakes one */
#define WEFT_MUTEX_STARVED_  2u /* kept for those who have waited */
#define WEFT_MUTEX_OWES_     4u /* the owner has debts to pay after unlock */
#define WEFT_MUTEX_FLAGS_    7u

/* Return the tag of who holds it in a word of that value; 0: nobody. */
static inline uint32_t
weft_mutex_owner_in_(uint32_t word)
{
    return word & ~WEFT_MUTEX_FLAGS_;
}

/* Whether the calling thread holds `m`. */
static inline bool
weft_mutex_is_mine_(const weft_mutex *m)
{
    return weft_mutex_owner_in_(atomic_load_explicit(
               &m->word, memory_order_relaxed)) == weft_self_tag_();
}

/*
 * The slow ways, for whatever is locked by way of `m`: `kind` says what that
 * is, and it begins at the address of `m`.  weft_mutex_try_ takes `m` if nobody
 * holds it; the status of weft_mutex_wait_ is that of weft_mutex_lock_until.
 */
bool weft_mutex_try_(weft_mutex *m, enum weft_kind kind);
WEFT_MUST_USE enum weft_status
weft_mutex_wait_(weft_mutex *m, weft_deadline deadline, enum weft_kind kind);
enum weft_status weft_mutex_give_(weft_mutex *m, enum weft_kind kind);

/*
 * The short ways while somebody watches.  Take a free mutex, from a call that
 * returns to `from`; false: nothing is done.  Unlock one that was found by
 * weft_watch_may_pop_: that it is still its own is not sure, as nothing is
 * noted while nobody watches.
 */
static inline bool
weft_mutex_lock_noted_(weft_mutex *m, enum weft_kind kind, const void *from)
{
    struct weft_watch_step step;
    uint32_t w = 0;

    /* acquire: mutex.hand_over */
    if (!weft_watch_may_push_(&step, m, kind) ||
        !atomic_compare_exchange_strong_explicit(&m->word, &w, step.self->tag,
                                                 memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    weft_watch_push_(&step, m, kind, (uintptr_t)from - 1);
    return true;
}
enum weft_status weft_mutex_unlock_unnoted_(weft_mutex *m);
static inline enum weft_status
weft_mutex_unlock_noted_(weft_mutex *m, const struct weft_watch_step *step)
{
    uint32_t w = step->self->tag;

    weft_watch_pop_(step);
    /* release: mutex.hand_over */
    if (atomic_compare_exchange_strong_explicit(
            &m->word, &w, 0, memory_order_release, memory_order_relaxed))
        return WEFT_OK;
    return weft_mutex_unlock_unnoted_(m);
}

/*
 * Give up a lock as a whole, however often it was locked, and take it back so.
 * For a weft_mutex, weft_mutex_give_ is the first half.
 *
 *   again      what drop stores and retake needs
 *   returns    drop: WEFT_OK; WEFT_NOT_OWNER, nothing changed
 *   blocking   retake waits for ever and does not fail: it goes on where the
 *              detector would have it give up
 *   requires   retake: this thread does not hold it
 */
void weft_mutex_retake_(weft_mutex *m, enum weft_kind kind);
enum weft_status weft_rmutex_drop_(weft_rmutex *m, uint32_t *again);
void weft_rmutex_retake_(weft_rmutex *m, uint32_t again);

/* What the owner of a mutex is to do as soon as it has unlocked it. */
struct weft_debt {
    struct weft_debt *next;
    const weft_mutex *mutex;
    void (*pay)(struct weft_debt *d);
};

/*
 * Let `d->pay(d)` run in this thread right after it has unlocked `m`, or
 * dropped it.  Debts are paid in the order in which they were made.
 *
 *   d          the caller's, until `pay` is called; only `pay` is to be set
 *   requires   this thread holds `m`
 */
void weft_mutex_owe_(weft_mutex *m, struct weft_debt *d);

#endif /* WEFT_SYNC_MUTEX_IMPL_H */

/* SPDX-License-Identifier: MIT */
/*
 * future_lists.c - who is told that a future is done: watchers, of the library,
 * and callbacks, of its users.
 *
 * Both lists have one lock, of a few instructions.  An entry is linked with the
 * lock and in one step with seeing that the future is not done: LISTED is set in
 * its word.  Whoever finishes it changes the word and finds either no LISTED,
 * then no entry, and none will be; or LISTED, then takes the lock and finds
 * them.  LISTED stays when entries are taken back: a lock for nothing.
 *
 * Watchers are notified with the lock.  So who has taken one back knows that
 * nobody touches it any more.  Callbacks are called without it.
 *
 * fork().  In the child the lock may be held for ever and the lists be half
 * changed.  It links nothing to a future of its parent and tells nobody; only
 * the callbacks are freed, whose list may be walked at any moment.
 *
 * Ordering.
 *
 *     brief         the lock is given back  ->  the next has it
 *     future.done   the future is done      ->  who would link finds that
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/park.h"
#include "base/sched.h"
#include "pool/future_impl.h"
#include "pool/worker.h"

enum { FREE, HELD, CONTENDED };

struct weft_callback_ {
    struct weft_callback_ *next;
    void (*fn)(weft_future *f, void *ctx);
    void *ctx;
};

void
weft_brief_lock_(_Atomic uint32_t *lock)
{
    uint32_t seen = FREE;

    /* acquire: brief */
    if (atomic_compare_exchange_strong_explicit(
            lock, &seen, HELD, memory_order_acquire, memory_order_relaxed))
        return;
    weft_park_spin_(lock, HELD);
    /* acquire: brief */
    while (atomic_exchange_explicit(lock, CONTENDED, memory_order_acquire) !=
           FREE) {
        const enum weft_status s =
            weft_park_wait_(lock, CONTENDED, WEFT_FOREVER);
        (void)s;
    }
}

void
weft_brief_unlock_(_Atomic uint32_t *lock)
{
    /* release: brief */
    if (atomic_exchange_explicit(lock, FREE, memory_order_release) == CONTENDED)
        weft_park_wake_(lock, 1);
}

/* With the lock: whether an entry may be linked. */
static bool
mark_listed(weft_future *f)
{
    /* acquire: future.done */
    uint32_t w = atomic_load_explicit(&f->word, memory_order_acquire);

    do
        if ((w & WEFT_FUTURE_STATE_) >= WEFT_FUTURE_RESULT_)
            return false;
    /* acquire: future.done */
    while (!atomic_compare_exchange_weak_explicit(
        &f->word, &w, w | WEFT_FUTURE_LISTED_, memory_order_acquire,
        memory_order_acquire));
    return true;
}

enum weft_status
weft_future_watch_(weft_future *f, struct weft_watcher_ *w)
{
    w->at = NULL;
    if (weft_future_is_done(f))
        return WEFT_BUSY;
    if (weft_future_is_of_parent_(f))
        return WEFT_CLOSED;
    weft_brief_lock_(&f->lock);
    const bool linked = mark_listed(f);
    if (linked) {
        w->next = f->watchers;
        w->at = &f->watchers;
        if (w->next != NULL)
            w->next->at = &w->next;
        f->watchers = w;
    }
    weft_brief_unlock_(&f->lock);
    return linked ? WEFT_OK : WEFT_BUSY;
}

/* With the lock. */
static void
unlink_watcher(struct weft_watcher_ *w)
{
    *w->at = w->next;
    if (w->next != NULL)
        w->next->at = w->at;
    w->at = NULL;
}

void
weft_future_unwatch_(weft_future *f, struct weft_watcher_ *w)
{
    if (weft_future_is_of_parent_(f))
        return;
    weft_brief_lock_(&f->lock);
    if (w->at != NULL)
        unlink_watcher(w);
    weft_brief_unlock_(&f->lock);
}

enum weft_status
weft_future_call_(weft_future *f, void (*fn)(weft_future *f, void *ctx),
                  void *ctx)
{
    if (weft_future_is_of_parent_(f))
        return WEFT_CLOSED;
    struct weft_callback_ *c = malloc(sizeof(*c));
    if (c == NULL)
        return WEFT_NO_MEMORY;
    *c = (struct weft_callback_){NULL, fn, ctx};
    weft_brief_lock_(&f->lock);
    const bool linked = mark_listed(f);
    if (linked && f->first == NULL)
        f->first = c;
    else if (linked)
        f->last->next = c;
    if (linked)
        f->last = c;
    weft_brief_unlock_(&f->lock);
    if (linked)
        return WEFT_OK;
    free(c);
    return WEFT_BUSY;
}

/* The callbacks that are still to be called. */
struct round {
    weft_future *future;
    struct weft_callback_ *next;
};

/* One of them may end its thread: then the others are called all the same. */
WEFT_LEFT_WHEN_CANCELLED_ static void
call_all(void *round)
{
    struct round *r = round;

    while (r->next != NULL) {
        struct weft_callback_ *c = r->next;
        void (*const fn)(weft_future * f, void *ctx) = c->fn;
        void *const ctx = c->ctx;
        r->next = c->next;
        free(c);
        pthread_cleanup_push(call_all, r);
        fn(r->future, ctx);
        pthread_cleanup_pop(0);
    }
}

void
weft_future_tell_(weft_future *f)
{
    if (weft_future_is_of_parent_(f))
        return;
    WEFT_SCHED_POINT_("future.done"); /* done, and nobody listed knows */
    weft_brief_lock_(&f->lock);
    while (f->watchers != NULL) {
        struct weft_watcher_ *w = f->watchers;
        unlink_watcher(w);
        w->notify(w, f);
    }
    struct round r = {f, f->first};
    f->first = NULL;
    weft_brief_unlock_(&f->lock);
    if (r.next == NULL)
        return;
    weft_worker_goes_on_();
    const weft_error saved = weft_fail_save_();
    call_all(&r);
    weft_fail_restore_(saved);
}

void
weft_future_forget_(weft_future *f)
{
    while (f->first != NULL) {
        struct weft_callback_ *c = f->first;
        f->first = c->next;
        free(c);
    }
}

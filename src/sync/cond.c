/* SPDX-License-Identifier: MIT */
/*
 * cond.c - a list of waiting threads, guarded by the lock they wait with.
 *
 * Waiting and telling both need the lock, so the lock guards the list too: no
 * atomic is needed, nothing can be lost between looking and waiting, and who is
 * told is who has waited longest.  Each thread waits in a node on its own
 * stack, with a word of its own to sleep on.
 *
 *     first             waiting                       last
 *       |                  |                           |
 *     told -> told -> not told -> not told -> ... -> not told
 *
 *     place     left by                how
 *     WAITING   a notify               the border `waiting` moves past it
 *               its own deadline       it takes the node out: WEFT_TIMEOUT
 *     TOLD      whoever has the lock   takes the node out and owes it a wake-up
 *               its own deadline       it takes the node out: WEFT_OK
 *     WOKEN     the thread itself      once it has the lock
 *
 * Nobody is woken into a lock that is held: the wake-up is a debt, which the
 * unlock pays after it has let go (mutex_impl.h).  And of those who were told
 * only one is woken at a time, since they all want the lock: `coming` says that
 * one is on its way, and when it has the lock it makes the next one its debt.
 *
 * A debt is paid after the unlock, so a thread whose deadline has just passed
 * may have the lock, find itself WOKEN, and be faster than the debtor.  It
 * waits for the payment, as the node lives on its stack; the debtor needs no
 * lock for that.  A thread that is TOLD must not wait like this, because nobody
 * pays for it before it lets go of the lock; it takes itself out.
 *
 * A cancelled thread does the same, and then tells another one in its place.
 *
 * Ordering.  Everything but the nodes' words belongs to who holds the lock.
 *
 *     paid        the debtor has done with the node  ->  its thread goes on
 */
#include <weft/cond.h>

#include <pthread.h>

#include "base/park.h"
#include "deadlock/watch.h"
#include "sync/mutex_impl.h"

/* What a node's word says. */
enum { AWAKE, ASLEEP, PAID };

enum place { WAITING, TOLD, WOKEN };

struct weft_cond_waiter_ {
    struct weft_debt debt; /* first: the debtor knows its address */
    struct weft_cond_waiter_ *next;
    struct weft_cond_waiter_ *previous;
    weft_cond *cond;
    struct weft_self *self; /* NULL: not known */
    enum place place;
    bool spins;
    uint32_t again; /* what the rmutex needs to be as deep as before */
    _Atomic uint32_t word;
};

typedef struct weft_cond_waiter_ waiter;

void
weft_cond_init(weft_cond *c, weft_mutex *m)
{
    if (weft_watching_())
        weft_watch_forgets_(c, sizeof(*c));
    *c = (weft_cond)WEFT_COND_INIT(m);
}

void
weft_cond_init_r(weft_cond *c, weft_rmutex *m)
{
    if (weft_watching_())
        weft_watch_forgets_(c, sizeof(*c));
    *c = (weft_cond)WEFT_COND_INIT_R(m);
}

/* --- the list; all with the lock held ------------------------------------ */

static void
append(weft_cond *c, waiter *w)
{
    w->next = NULL;
    w->previous = c->first != NULL ? c->last : NULL;
    if (w->previous != NULL)
        w->previous->next = w;
    else
        c->first = w;
    c->last = w;
    if (c->waiting == NULL)
        c->waiting = w;
}

static void
take_out(weft_cond *c, waiter *w)
{
    if (c->waiting == w)
        c->waiting = w->next;
    if (w->previous != NULL)
        w->previous->next = w->next;
    else
        c->first = w->next;
    if (w->next != NULL)
        w->next->previous = w->previous;
    else
        c->last = w->previous;
}

/* The debt of whoever had the lock: wake the node's thread. */
static void
pay(struct weft_debt *debt)
{
    waiter *w = (waiter *)(void *)debt;

    /* release: paid.  Then only its address is used. */
    const uint32_t was =
        atomic_exchange_explicit(&w->word, PAID, memory_order_release);
    if (was == ASLEEP)
        weft_park_wake_(&w->word, 1);
}

/* Owe the first who was told its wake-up, unless one is on its way. */
static void
wake_next(weft_cond *c)
{
    waiter *w = c->first;

    if (c->coming || w == NULL || w->place != TOLD)
        return;
    take_out(c, w);
    w->place = WOKEN;
    c->coming = true;
    c->teller = weft_park_here_();
    weft_mutex_owe_(c->mutex, &w->debt);
}

/* From now on it waits for the lock, as far as the detector goes. */
static void
show_told(const weft_cond *c, const waiter *w)
{
    if (w->self != NULL)
        weft_watch_told_(w->self, c->mutex,
                         c->reentrant ? WEFT_KIND_RMUTEX : WEFT_KIND_MUTEX);
}

static void
tell(weft_cond *c, size_t n)
{
    for (; n > 0 && c->waiting != NULL; n--) {
        if (weft_watching_())
            show_told(c, c->waiting);
        c->waiting->place = TOLD;
        c->waiting = c->waiting->next;
    }
    wake_next(c);
}

/* --- waiting ------------------------------------------------------------- */

static void
let_go(weft_cond *c, waiter *w)
{
    if (c->reentrant)
        (void)weft_rmutex_drop_((weft_rmutex *)(void *)c->mutex, &w->again);
    else
        (void)weft_mutex_give_(c->mutex, WEFT_KIND_MUTEX);
}

static void
take_back(weft_cond *c, const waiter *w)
{
    if (c->reentrant)
        weft_rmutex_retake_((weft_rmutex *)(void *)c->mutex, w->again);
    else
        weft_mutex_retake_(c->mutex, WEFT_KIND_MUTEX);
}

static bool
is_paid(const waiter *w)
{
    /* acquire: paid */
    return atomic_load_explicit(&w->word, memory_order_acquire) == PAID;
}

/* Say that the thread sleeps; false: it is paid. */
static bool
fall_asleep(waiter *w)
{
    uint32_t awake = AWAKE;

    return atomic_compare_exchange_strong_explicit(&w->word, &awake, ASLEEP,
                                                   memory_order_relaxed,
                                                   memory_order_relaxed) ||
           awake == ASLEEP;
}

/* With the lock again: leave the list; false: was not told. */
static bool
come_back(weft_cond *c, waiter *w)
{
    if (w->place != WOKEN) {
        take_out(c, w);
        return w->place == TOLD;
    }
    while (!is_paid(w))
        if (fall_asleep(w) &&
            weft_park_wait_(&w->word, ASLEEP, WEFT_FOREVER) != WEFT_OK)
            break;
    c->coming = false;
    wake_next(c);
    return true;
}

static void
cancelled(void *arg)
{
    waiter *w = arg;
    weft_cond *c = w->cond;

    weft_watch_unblock_();
    take_back(c, w);
    if (come_back(c, w))
        tell(c, 1);
}

/* Sleep until the node is paid or the deadline has passed. */
WEFT_LEFT_WHEN_CANCELLED_ static void
sleep_until(waiter *w, weft_deadline deadline)
{
    pthread_cleanup_push(cancelled, w);
    if (!w->spins || !weft_park_spin_(&w->word, AWAKE))
        while (fall_asleep(w) &&
               weft_park_wait_cancel_(&w->word, ASLEEP, deadline) == WEFT_OK) {
        }
    pthread_cleanup_pop(0);
}

WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait(weft_cond *c, weft_deadline deadline)
{
    waiter w = {.debt = {.pay = pay}, .cond = c, .place = WAITING};

    if (!weft_mutex_is_mine_(c->mutex))
        return WEFT_NOT_OWNER;
    if (deadline <= WEFT_NOW)
        return WEFT_TIMEOUT;
    const enum weft_status s = weft_watch_block_(c, WEFT_KIND_COND, deadline);
    if (s != WEFT_OK)
        return s;
    w.self = weft_self_record_;
    const uintptr_t locked_at =
        weft_watching_() ? weft_watch_place_of_(c->mutex) : 0;
    if (weft_watching_())
        weft_watch_awaits_(c, WEFT_KIND_COND, c->mutex, deadline);
    w.spins = c->teller != weft_park_here_();
    append(c, &w);
    let_go(c, &w);
    sleep_until(&w, deadline);
    weft_watch_unblock_();
    weft_watch_called_from_(locked_at); /* it is had as it was */
    take_back(c, &w);
    const bool told = come_back(c, &w);
    if (told && weft_watching_())
        weft_watch_hears_(c, WEFT_KIND_COND);
    return told ? WEFT_OK : WEFT_TIMEOUT;
}

enum weft_status
weft_cond_wait(weft_cond *c, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    return wait(c, deadline);
}

enum weft_status
weft_cond_wait_for(weft_cond *c, bool (*holds)(void *ctx), void *ctx,
                   weft_deadline deadline)
{
    if (!weft_mutex_is_mine_(c->mutex))
        return WEFT_NOT_OWNER;
    while (!holds(ctx)) {
        WEFT_WATCH_CALL_();
        const enum weft_status s = wait(c, deadline);
        if (s == WEFT_TIMEOUT)
            return holds(ctx) ? WEFT_OK : WEFT_TIMEOUT;
        if (s != WEFT_OK)
            return s;
    }
    return WEFT_OK;
}

enum weft_status
weft_cond_notify(weft_cond *c, size_t n)
{
    return weft_cond_notify_slow_(c, n);
}

enum weft_status
weft_cond_notify_slow_(weft_cond *c, size_t n)
{
    if (!weft_mutex_is_mine_(c->mutex))
        return WEFT_NOT_OWNER;
    if (weft_watching_())
        weft_watch_tells_(c, WEFT_KIND_COND, c->mutex, 1);
    tell(c, n);
    return WEFT_OK;
}

enum weft_status
weft_cond_notify_all(weft_cond *c)
{
    return weft_cond_notify(c, SIZE_MAX);
}

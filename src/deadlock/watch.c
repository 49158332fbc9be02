/* SPDX-License-Identifier: MIT */
/*
 * watch.c - each thread writes its own record and nobody else's.
 *
 * Readers see each word by itself: a wait is believed if the count of changes,
 * `waits`, is odd and the same before and after the other words were read.
 *
 * Ordering.  Objects are not published here, so all is relaxed but that a wait
 * counts only once the other words are there:
 *
 *     watch.wait   a wait is published  ->  the detector reads it
 *     watch.told   it was told          ->  the same
 *     watch.short  what the short ways stand on was changed  ->  a thread looks
 */
#include "deadlock/watch_short.h"

#include <stddef.h>

#include "base/deadline.h"

_Atomic bool weft_watch_on_;
_Atomic uint32_t weft_watch_short_ = 1;
__thread uintptr_t weft_watch_caller_;
weft_watch_tell *_Atomic weft_watch_tell_own_;
weft_watch_tell *_Atomic weft_watch_tell_wanted_;

/* By two: it is odd, and so never 0. */
void
weft_watch_changed_(void)
{
    /* release: watch.short */
    atomic_fetch_add_explicit(&weft_watch_short_, 2, memory_order_release);
}

void
weft_watch_enable_(bool on)
{
    atomic_store_explicit(&weft_watch_on_, on, memory_order_relaxed);
    weft_watch_changed_();
    weft_self_watch_(on);
}

/* What is wanted only by who watches. */
static void
note_wait(struct weft_self *s)
{
    atomic_store_explicit(&s->waits_since, weft_clock_ns_(),
                          memory_order_relaxed);
    atomic_store_explicit(&s->waits_flags, 0, memory_order_relaxed);
    atomic_store_explicit(&s->waits_place[0], weft_watch_caller_,
                          memory_order_relaxed);
    atomic_store_explicit(&s->waits_place[1], 0, memory_order_relaxed);
}

enum weft_status
weft_watch_block_(const void *object, enum weft_kind kind,
                  weft_deadline deadline)
{
    struct weft_self *s = weft_self_get_();

    if (s == NULL)
        return WEFT_OK;
    const uint64_t n = atomic_load_explicit(&s->waits, memory_order_relaxed);
    atomic_store_explicit(&s->waits_kind, kind, memory_order_relaxed);
    atomic_store_explicit(&s->waits_until, deadline, memory_order_relaxed);
    if (weft_watching_())
        note_wait(s); /* who sees the object waits later than this */
    atomic_store_explicit(&s->waits_for, object, memory_order_relaxed);
    /* release: watch.wait */
    atomic_store_explicit(&s->waits, (n + 1) | 1, memory_order_release);
    return WEFT_OK;
}

void
weft_watch_told_(struct weft_self *s, const void *lock, enum weft_kind kind)
{
    const uint64_t n = atomic_load_explicit(&s->waits, memory_order_relaxed);

    /* One whose time is over may be at the lock already: then this is true
     * of that wait, too. */
    atomic_store_explicit(&s->told_lock, lock, memory_order_relaxed);
    atomic_store_explicit(&s->told_kind, kind, memory_order_relaxed);
    /* release: watch.told */
    atomic_store_explicit(&s->told, n, memory_order_release);
}

void
weft_watch_insist_(void)
{
    struct weft_self *s = weft_self_record_;

    if (s != NULL)
        atomic_store_explicit(&s->waits_flags, WEFT_WAIT_INSISTS,
                              memory_order_relaxed);
}

void
weft_watch_unblock_(void)
{
    struct weft_self *s = weft_self_record_;

    if (s == NULL)
        return;
    const uint64_t n = atomic_load_explicit(&s->waits, memory_order_relaxed);
    if (n % 2 == 0) /* the detector has ended it already */
        return;
    atomic_store_explicit(&s->waits_for, NULL, memory_order_relaxed);
    atomic_store_explicit(&s->waits, n + 1, memory_order_relaxed);
}

static void
tell(weft_watch_tell *_Atomic *whom, struct weft_self *s, const void *object,
     enum weft_kind kind)
{
    weft_watch_tell *t = atomic_load_explicit(whom, memory_order_relaxed);

    if (t != NULL)
        t(s, object, kind);
}

void
weft_watch_own_(const void *object, enum weft_kind kind)
{
    struct weft_self *s = weft_self_get_();

    if (s != NULL)
        tell(&weft_watch_tell_own_, s, object, kind);
}

void
weft_watch_tell_of_wanted_(const void *object, enum weft_kind kind)
{
    struct weft_self *s = weft_self_get_();

    if (s != NULL)
        tell(&weft_watch_tell_wanted_, s, object, kind);
}

/* --- what is held --------------------------------------------------------- */

/* Find out whether the thread of `s` may take the short ways. */
static void
look_for_short(struct weft_self *s)
{
    /* acquire: watch.short */
    const uint32_t now =
        atomic_load_explicit(&weft_watch_short_, memory_order_acquire);
    const struct weft_order *g = weft_watch_graph_now_();
    const bool tells = g != NULL;

    s->short_at = 0;
    if (!weft_watching_() ||
        atomic_load_explicit(&weft_watch_tell_wanted_, memory_order_relaxed) !=
            NULL ||
        (tells && (s->order == NULL || s->order->graph != g)))
        return;
    s->asked = tells ? s->order : NULL;
    s->short_at = now;
}

/* Where the number is for all that is held, if that are `n`. */
static uint64_t *
number_of(struct weft_self *s, uint32_t n)
{
    return &s->held[n < WEFT_HELD_MAX ? n : WEFT_HELD_MAX].before;
}

static void
push(struct weft_self *s, const void *object, enum weft_kind kind)
{
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);

    if (n < WEFT_HELD_MAX) {
        struct weft_held *h = &s->held[n];
        atomic_store_explicit(&h->kind, kind, memory_order_relaxed);
        atomic_store_explicit(&h->place, weft_watch_caller_,
                              memory_order_relaxed);
        atomic_store_explicit(&h->object, object, memory_order_relaxed);
    }
    *number_of(s, n + 1) = *number_of(s, n) + weft_order_mix_(object, kind);
    atomic_store_explicit(&s->held_count, n + 1, memory_order_relaxed);
}

void
weft_watch_acquired_(const void *object, enum weft_kind kind)
{
    struct weft_self *s = weft_self_get_();

    if (s != NULL) {
        push(s, object, kind);
        if (s->short_at !=
            atomic_load_explicit(&weft_watch_short_, memory_order_relaxed))
            look_for_short(s);
    }
    weft_watch_say_news_();
    if (kind == WEFT_KIND_MUTEX || kind == WEFT_KIND_RMUTEX)
        weft_watch_passes_(object);
}

static bool
is_it(const struct weft_held *h, const void *object, enum weft_kind kind)
{
    return atomic_load_explicit(&h->object, memory_order_relaxed) == object &&
           atomic_load_explicit(&h->kind, memory_order_relaxed) == kind;
}

/* One place down, below which one is gone that added `mix`. */
static void
move(struct weft_held *to, const struct weft_held *from, uint64_t mix)
{
    to->before = from->before - mix;
    atomic_store_explicit(
        &to->kind, atomic_load_explicit(&from->kind, memory_order_relaxed),
        memory_order_relaxed);
    atomic_store_explicit(
        &to->place, atomic_load_explicit(&from->place, memory_order_relaxed),
        memory_order_relaxed);
    atomic_store_explicit(
        &to->object, atomic_load_explicit(&from->object, memory_order_relaxed),
        memory_order_relaxed);
}

/* Of `n` that it holds. */
static void
drop(struct weft_self *s, uint32_t n, const void *object, enum weft_kind kind)
{
    const uint64_t mix = weft_order_mix_(object, kind);
    uint32_t at = n < WEFT_HELD_MAX ? n : WEFT_HELD_MAX;

    while (at > 0 && !is_it(&s->held[at - 1], object, kind))
        at--;
    if (at == 0 && n <= WEFT_HELD_MAX)
        return; /* else one of those that found no room */
    const uint64_t all = *number_of(s, n) - mix;
    for (; at > 0 && at < n && at < WEFT_HELD_MAX; at++)
        move(&s->held[at - 1], &s->held[at], mix);
    *number_of(s, n - 1) = all;
    atomic_store_explicit(&s->held_count, n - 1, memory_order_relaxed);
}

void
weft_watch_released_(const void *object, enum weft_kind kind)
{
    struct weft_self *s = weft_self_record_;

    if (kind == WEFT_KIND_MUTEX || kind == WEFT_KIND_RMUTEX)
        weft_watch_frees_(object);
    if (s == NULL)
        return;
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);
    if (n > 0 && n <= WEFT_HELD_MAX && is_it(&s->held[n - 1], object, kind))
        atomic_store_explicit(&s->held_count, n - 1, memory_order_relaxed);
    else
        drop(s, n, object, kind);
}

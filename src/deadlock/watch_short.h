/* SPDX-License-Identifier: MIT */
/*
 * deadlock/watch_short.h - the ways of a lock that have to be short while
 * somebody watches: what is known already is noted by a few plain stores.
 */
#ifndef WEFT_DEADLOCK_WATCH_SHORT_H
#define WEFT_DEADLOCK_WATCH_SHORT_H

#include "deadlock/order.h"
#include "deadlock/watch.h"

/* Whether the thread of `s`, which calls, has nothing to tell if it takes
 * `object`. */
static inline bool
weft_watch_is_told_(const struct weft_self *s, const void *object,
                    enum weft_kind kind)
{
    const struct weft_order *g = weft_watch_graph_now_();
    const struct weft_order_thread *t = s->order;

    if (g == NULL)
        return true;
    if (weft_order_is_guard_(object))
        return false;
    return t != NULL && t->graph == g && weft_order_knows_(t, object, kind);
}

/* Whether the same is so of an unlock. */
static inline bool
weft_watch_frees_nothing_(const void *object)
{
    return weft_watch_graph_now_() == NULL || !weft_order_is_guard_(object);
}

/* Whether the calling thread can note by what follows that it takes `object`,
 * and nobody is to be asked or told: the ways that have to be short. */
static inline bool
weft_watch_is_short_(const void *object, enum weft_kind kind)
{
    const struct weft_self *s = weft_self_record_;

    return s != NULL &&
           atomic_load_explicit(&weft_watch_tell_wanted_,
                                memory_order_relaxed) == NULL &&
           weft_watch_is_told_(s, object, kind);
}

/* As weft_watch_acquired_, from a call at `place`. */
static inline void
weft_watch_push_(const void *object, enum weft_kind kind, uintptr_t place)
{
    struct weft_self *s = weft_self_record_;
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);

    if (n < WEFT_HELD_MAX) {
        struct weft_held *h = &s->held[n];
        atomic_store_explicit(&h->kind, kind, memory_order_relaxed);
        atomic_store_explicit(&h->place, place, memory_order_relaxed);
        atomic_store_explicit(&h->object, object, memory_order_relaxed);
        if (s->order != NULL)
            h->before = s->order->set;
    }
    atomic_store_explicit(&s->held_count, n + 1, memory_order_relaxed);
    if (s->order != NULL)
        weft_order_holds_(s->order, object, kind);
}

/* As weft_watch_released_, if it was the last to be acquired; else false. */
static inline bool
weft_watch_pop_(const void *object, enum weft_kind kind)
{
    struct weft_self *s = weft_self_record_;

    if (s == NULL)
        return true;
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);
    if (n == 0 || n > WEFT_HELD_MAX)
        return false;
    const struct weft_held *h = &s->held[n - 1];
    if (atomic_load_explicit(&h->object, memory_order_relaxed) != object ||
        atomic_load_explicit(&h->kind, memory_order_relaxed) != kind)
        return false;
    atomic_store_explicit(&s->held_count, n - 1, memory_order_relaxed);
    if (s->order != NULL) /* sooner there than what it added to it */
        s->order->set = h->before;
    return true;
}

#endif /* WEFT_DEADLOCK_WATCH_SHORT_H */

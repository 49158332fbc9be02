/* SPDX-License-Identifier: MIT */
/*
 * deadlock/watch_short.h - the ways of a lock that have to be short while
 * somebody watches: what is known already is noted by a few plain stores.
 *
 *       struct weft_watch_step step;
 *       if (weft_watch_may_push_(&step, m, WEFT_KIND_MUTEX) && ... it is free)
 *           weft_watch_push_(&step, m, WEFT_KIND_MUTEX, place);
 *
 * Whether a thread may take them was found out once, in its record: it holds
 * until weft_watch_short_ is another.
 */
#ifndef WEFT_DEADLOCK_WATCH_SHORT_H
#define WEFT_DEADLOCK_WATCH_SHORT_H

#include "deadlock/order.h"
#include "deadlock/watch.h"

#define WEFT_WATCH_UNCOUNTED 1 /* a number for what need not be told */

/* A lock that the calling thread is about to note, or to note no more. */
struct weft_watch_step {
    struct weft_self *self;
    uint32_t count; /* of what it holds besides */
    uint64_t after; /* the number for all that it holds then */
};

/* Whether nobody is to be asked or told of `object`, whatever is done. */
static inline bool
weft_watch_is_short_(const struct weft_self *s, const void *object)
{
    return s != NULL &&
           s->short_at ==
               atomic_load_explicit(&weft_watch_short_, memory_order_relaxed) &&
           !weft_order_is_guard_(object);
}

/* Whether the calling thread can take `object` and note that by what follows:
 * it has told of that already. */
static inline bool
weft_watch_may_push_(struct weft_watch_step *step, const void *object,
                     enum weft_kind kind)
{
    struct weft_self *s = weft_self_record_;

    if (!weft_watch_is_short_(s, object))
        return false;
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);
    if (n >= WEFT_HELD_MAX)
        return false;
    *step = (struct weft_watch_step){s, n, WEFT_WATCH_UNCOUNTED};
    if (s->asked == NULL)
        return true;
    const uint64_t mix = weft_order_mix_(object, kind);
    const uint64_t before = s->held[n].before;
    step->after = before + mix;
    return weft_order_knows_key_(s->asked,
                                 weft_order_key_of_(s->asked, before, mix));
}

/* It has got it, from a call at `place`. */
static inline void
weft_watch_push_(const struct weft_watch_step *step, const void *object,
                 enum weft_kind kind, uintptr_t place)
{
    struct weft_held *h = &step->self->held[step->count];

    atomic_store_explicit(&h->kind, kind, memory_order_relaxed);
    atomic_store_explicit(&h->place, place, memory_order_relaxed);
    atomic_store_explicit(&h->object, object, memory_order_relaxed);
    h[1].before = step->after;
    atomic_store_explicit(&step->self->held_count, step->count + 1,
                          memory_order_relaxed);
}

/* Whether `object` was the last that it has noted, of whatever kind, and nobody
 * is to be told. */
static inline bool
weft_watch_may_pop_(struct weft_watch_step *step, const void *object)
{
    struct weft_self *s = weft_self_record_;

    if (!weft_watch_is_short_(s, object))
        return false;
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed) - 1;
    if (n >= WEFT_HELD_MAX)
        return false;
    *step = (struct weft_watch_step){.self = s, .count = n};
    return atomic_load_explicit(&s->held[n].object, memory_order_relaxed) ==
           object;
}

static inline void
weft_watch_pop_(const struct weft_watch_step *step)
{
    atomic_store_explicit(&step->self->held_count, step->count,
                          memory_order_relaxed);
}

#endif /* WEFT_DEADLOCK_WATCH_SHORT_H */

/* SPDX-License-Identifier: MIT */
/*
 * order_sync.c - objects that order threads: onces and barriers.
 *
 * All who pass a once are behind who ran it.  Who leaves a barrier is behind
 * all who arrived in the same round, which is complete when as many have
 * arrived as it has parties.  Arrivals are told before the call of the
 * program's, so with more threads than parties a round may have another in it
 * than the barrier had: the order is then that of some run, but not of this
 * one.
 */
#include "deadlock/order_impl.h"

static struct weft_order_sync **
bucket_of(struct weft_order *o, uintptr_t address)
{
    return &o->syncs[weft_order_hash_(address / 64) & o->mask];
}

struct weft_order_sync *
weft_order_find_sync_(struct weft_order *o, const void *object,
                      enum weft_kind kind)
{
    struct weft_order_sync *s = *bucket_of(o, (uintptr_t)object);

    while (s != NULL && (s->object != object || s->kind != kind))
        s = s->next;
    return s;
}

struct weft_order_sync *
weft_order_get_sync_(struct weft_order *o, const void *object,
                     enum weft_kind kind)
{
    struct weft_order_sync **bucket = bucket_of(o, (uintptr_t)object);
    struct weft_order_sync *s = weft_order_find_sync_(o, object, kind);

    if (s != NULL)
        return s;
    s = weft_order_take_(o, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->object = object;
    s->kind = kind;
    s->next = *bucket;
    *bucket = s;
    weft_order_mark_(o, object);
    return s;
}

/* --- onces ---------------------------------------------------------------- */

void
weft_order_ran_(struct weft_order_thread *t, const void *once)
{
    if (!weft_order_enter_(t))
        return;
    const struct weft_order_moment now = weft_order_now_(t->node);
    struct weft_order_sync *s =
        weft_order_get_sync_(t->graph, once, WEFT_KIND_ONCE);
    if (s != NULL && weft_order_merge_(t->graph, &s->clock, &now))
        weft_order_tick_(t);
    weft_order_leave_(t);
}

void
weft_order_passed_(struct weft_order_thread *t, const void *once)
{
    if (!weft_order_enter_(t))
        return;
    const struct weft_order_sync *s =
        weft_order_find_sync_(t->graph, once, WEFT_KIND_ONCE);
    if (s != NULL)
        weft_order_behind_all_(t, s->clock);
    weft_order_leave_(t);
}

/* --- barriers ------------------------------------------------------------- */

static bool
add_arrival(struct weft_order *o, struct weft_order_arrival **list,
            const struct weft_order_moment *m)
{
    struct weft_order_arrival *a = weft_order_take_(o, sizeof(*a));

    if (a == NULL)
        return false;
    a->moment = *m;
    weft_order_keep_(m);
    a->next = *list;
    *list = a;
    return true;
}

static void
drop_arrivals(struct weft_order *o, struct weft_order_arrival *a)
{
    while (a != NULL) {
        struct weft_order_arrival *next = a->next;
        weft_order_let_go_(o, &a->moment);
        weft_order_give_(o, a, sizeof(*a));
        a = next;
    }
}

static void
drop_round(struct weft_order *o, struct weft_order_round *r)
{
    if (r == NULL || --r->holders > 0)
        return;
    drop_arrivals(o, r->arrivals);
    weft_order_drop_clock_(o, r->clock);
    weft_order_give_(o, r, sizeof(*r));
}

/* The round of a barrier that is not complete. */
static struct weft_order_round *
get_round(struct weft_order *o, struct weft_order_sync *s, uint32_t parties)
{
    struct weft_order_round *r = s->round;

    if (r != NULL)
        return r;
    r = weft_order_take_(o, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->holders = 1;
    r->parties = parties;
    s->round = r;
    return r;
}

/* Whether no other threads come than in the first round. */
static bool
is_member(struct weft_order *o, struct weft_order_sync *s,
          const struct weft_order_moment *now, uint32_t parties)
{
    uint32_t n = 0;

    for (const struct weft_order_arrival *a = s->members; a != NULL;
         a = a->next, n++)
        if (a->moment.node == now->node)
            return true;
    return n < parties && add_arrival(o, &s->members, now);
}

static void
arrive(struct weft_order_thread *t, struct weft_order_sync *s, uint32_t parties)
{
    struct weft_order *o = t->graph;
    const struct weft_order_moment now = weft_order_now_(t->node);
    struct weft_order_round *r = get_round(o, s, parties);

    s->open = s->open || !is_member(o, s, &now, parties);
    if (r == NULL || !weft_order_merge_(o, &r->clock, &now) ||
        (!s->open && !add_arrival(o, &r->arrivals, &now)))
        return;
    t->node->round = r;
    r->holders++;
    if (++r->count == r->parties) {
        s->round = NULL;
        drop_round(o, r);
    }
    weft_order_tick_(t);
}

void
weft_order_arrives_(struct weft_order_thread *t, const void *barrier,
                    uint32_t parties)
{
    if (!weft_order_enter_(t))
        return;
    struct weft_order_sync *s =
        weft_order_get_sync_(t->graph, barrier, WEFT_KIND_BARRIER);
    drop_round(t->graph, t->node->round); /* that it has left in another way */
    t->node->round = NULL;
    if (s != NULL)
        arrive(t, s, parties);
    weft_order_leave_(t);
}

void
weft_order_leaves_(struct weft_order_thread *t, const void *barrier)
{
    if (!weft_order_enter_(t))
        return;
    struct weft_order_round *r = t->node->round;
    const struct weft_order_sync *s =
        weft_order_find_sync_(t->graph, barrier, WEFT_KIND_BARRIER);
    if (r != NULL && r->count >= r->parties) {
        for (const struct weft_order_arrival *a = r->arrivals;
             a != NULL && s != NULL && !s->open; a = a->next)
            weft_order_done_by_(t, barrier, &a->moment);
        weft_order_behind_all_(t, r->clock);
    }
    t->node->round = NULL;
    drop_round(t->graph, r);
    weft_order_wait_over_(t);
    weft_order_leave_(t);
}

/* --- memory that is used again -------------------------------------------- */

static void
drop_sync(struct weft_order *o, struct weft_order_sync *s)
{
    if (s->kind == WEFT_KIND_SEMAPHORE)
        weft_order_drop_posts_(o, s);
    if (s->kind == WEFT_KIND_COND || s->kind == WEFT_KIND_MUTEX)
        weft_order_drop_told_(o, s);
    weft_order_unmark_(o, s->object);
    drop_round(o, s->round);
    drop_arrivals(o, s->members);
    weft_order_drop_clock_(o, s->clock);
    weft_order_give_(o, s, sizeof(*s));
}

void
weft_order_forget_syncs_(struct weft_order *o, uintptr_t address,
                         uintptr_t begin, size_t bytes)
{
    struct weft_order_sync **at = bucket_of(o, address);

    while (*at != NULL) {
        struct weft_order_sync *s = *at;
        if ((uintptr_t)s->object - begin < bytes) {
            *at = s->next;
            drop_sync(o, s);
        } else {
            at = &s->next;
        }
    }
}

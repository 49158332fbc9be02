/* SPDX-License-Identifier: MIT */
/*
 * order_graph.c - which locks were wanted while which were held.
 *
 * A stack is what a thread holds, oldest first; stacks share what they have in
 * common, so a thread that takes 64 locks one in another makes 64 small
 * records. A combination is a stack and a lock that is wanted on top of it, at
 * a place, whichever thread does it; threads are in its moments.  Edges lead
 * from each lock of the stack to the one that is wanted.
 *
 * Of a combination the first moments are kept, and the latest: all of them meet
 * in a search when they are new, so what is lost is that a moment in the middle
 * meets one that comes later.
 */
#include "deadlock/order_impl.h"

#include <string.h>

#define FIRST (WEFT_ORDER_MOMENTS / 2) /* moments that stay */

/* --- locks ---------------------------------------------------------------- */

static enum weft_kind
class_of(enum weft_kind kind)
{
    return kind == WEFT_KIND_WRITE ? WEFT_KIND_READ : kind;
}

static struct weft_order_lock *
get_lock(struct weft_order *o, const struct weft_dl_held *h)
{
    struct weft_order_lock **bucket =
        weft_order_lock_bucket_(o, (uintptr_t)h->object);
    const enum weft_kind kind = class_of(h->kind);
    struct weft_order_lock *l = *bucket;

    while (l != NULL && (l->object != h->object || l->kind != kind))
        l = l->next;
    if (l != NULL)
        return l;
    l = weft_order_take_(o, sizeof(*l));
    if (l == NULL)
        return NULL;
    l->object = h->object;
    l->kind = kind;
    l->next = *bucket;
    *bucket = l;
    o->live++;
    weft_order_mark_(o, h->object);
    return l;
}

/* --- places and stacks ---------------------------------------------------- */

static struct weft_order_place *
get_place(struct weft_order *o, const struct weft_dl_place *place)
{
    uint64_t hash = 0;

    for (int i = 0; i < WEFT_DL_PLACES; i++)
        hash = (hash ^ place->call[i]) * UINT64_C(0x9e3779b97f4a7c15);
    struct weft_order_place **bucket = &o->places[hash >> 40 & o->mask];
    struct weft_order_place *p = *bucket;
    while (p != NULL && memcmp(&p->place, place, sizeof(*place)) != 0)
        p = p->next;
    if (p != NULL)
        return p;
    p = weft_order_take_(o, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->place = *place;
    p->next = *bucket;
    *bucket = p;
    return p;
}

/* What is held with `h` on top of `outer`. */
static struct weft_order_stack *
get_stack(struct weft_order *o, struct weft_order_stack *outer,
          struct weft_order_lock *lock, const struct weft_dl_held *h)
{
    struct weft_order_place *place = get_place(o, &h->place);
    const uint64_t hash =
        weft_order_hash_2_(weft_order_hash_2_((uintptr_t)outer, lock), place);
    struct weft_order_stack **bucket = &o->stacks[hash & o->mask];
    struct weft_order_stack *s = *bucket;

    while (s != NULL && (s->outer != outer || s->lock != lock ||
                         s->place != place || s->kind != h->kind))
        s = s->next;
    if (s != NULL)
        return s;
    s = weft_order_take_(o, sizeof(*s));
    if (s == NULL || place == NULL)
        return NULL;
    s->outer = outer;
    s->lock = lock;
    s->place = place;
    s->kind = h->kind;
    s->depth = outer->depth + 1;
    s->next = *bucket;
    *bucket = s;
    lock->stacks++;
    return s;
}

/* All that is held; NULL: full, or `wanted` is among it. */
static struct weft_order_stack *
get_stacks(struct weft_order *o, const struct weft_order_lock *wanted,
           const struct weft_dl_held *held, uint32_t held_count)
{
    struct weft_order_stack *s = &o->empty;
    const uint64_t seen = ++o->seen;

    for (uint32_t i = 0; i < held_count && s != NULL; i++) {
        struct weft_order_lock *l = get_lock(o, &held[i]);
        if (l == NULL || l == wanted)
            return NULL;
        if (l->seen == seen)
            continue; /* taken twice */
        l->seen = seen;
        s = get_stack(o, s, l, &held[i]);
    }
    return s;
}

/* --- combinations --------------------------------------------------------- */

static struct weft_order_edge **
edge_bucket(struct weft_order *o, const struct weft_order_lock *from,
            const struct weft_order_lock *to)
{
    return &o->edges[weft_order_hash_2_((uintptr_t)from, to) & o->mask];
}

struct weft_order_edge *
weft_order_find_edge_(struct weft_order *o, const struct weft_order_lock *a,
                      const struct weft_order_lock *b)
{
    struct weft_order_edge *e = *edge_bucket(o, a, b);

    while (e != NULL && (e->from != a || e->to != b))
        e = e->next;
    return e;
}

static struct weft_order_edge *
get_edge(struct weft_order *o, struct weft_order_lock *from,
         struct weft_order_lock *to)
{
    struct weft_order_edge **bucket = edge_bucket(o, from, to);
    struct weft_order_edge *e = weft_order_find_edge_(o, from, to);

    if (e != NULL)
        return e;
    e = weft_order_take_(o, sizeof(*e));
    if (e == NULL)
        return NULL;
    e->from = from;
    e->to = to;
    e->next_out = from->out;
    from->out = e;
    from->outs++;
    e->next_in = to->in;
    to->in = e;
    e->next = *bucket;
    *bucket = e;
    return e;
}

static bool
link_edges(struct weft_order *o, struct weft_order_combination *c)
{
    for (struct weft_order_stack *s = c->held; s->outer != NULL; s = s->outer) {
        struct weft_order_edge *e = get_edge(o, s->lock, c->lock);
        struct weft_order_link *k =
            e != NULL ? weft_order_take_(o, sizeof(*k)) : NULL;
        if (k == NULL)
            return false;
        k->combination = c;
        k->kind = s->kind;
        k->next = e->links;
        e->links = k;
    }
    return true;
}

static struct weft_order_combination *
get_combination(struct weft_order *o, struct weft_order_stack *held,
                struct weft_order_lock *lock, const struct weft_dl_held *wanted)
{
    struct weft_order_place *place = get_place(o, &wanted->place);
    struct weft_order_combination **bucket =
        weft_order_combination_bucket_(o, held, lock, place);
    struct weft_order_combination *c = *bucket;

    while (c != NULL && (c->held != held || c->lock != lock ||
                         c->place != place || c->kind != wanted->kind))
        c = c->next;
    if (c != NULL)
        return c;
    c = weft_order_take_(o, sizeof(*c));
    if (c == NULL || place == NULL)
        return NULL;
    c->held = held;
    c->lock = lock;
    c->place = place;
    c->kind = wanted->kind;
    if (!link_edges(o, c))
        return NULL;
    c->next = *bucket;
    *bucket = c;
    c->next_wanted = lock->wanted;
    lock->wanted = c;
    return c;
}

/* --- moments -------------------------------------------------------------- */

static bool
grow_moments(struct weft_order *o, struct weft_order_combination *c)
{
    const uint32_t room = c->room == 0 ? 1 : 2 * c->room;
    struct weft_order_moment *m = weft_order_take_(o, room * sizeof(*m));

    if (m == NULL)
        return false;
    if (c->room > 0) {
        memcpy(m, c->moments, c->count * sizeof(*m));
        weft_order_give_(o, c->moments, c->room * sizeof(*m));
    }
    c->moments = m;
    c->room = room;
    return true;
}

/* Whether `m` says what was known: the same thread has been there behind the
 * same others, and nobody has gone on behind it since. */
static bool
is_known(const struct weft_order_combination *c,
         const struct weft_order_moment *m)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->moments[i].node == m->node && c->moments[i].time == m->time &&
            c->moments[i].clock == m->clock)
            return true;
    return false;
}

static bool
add_moment(struct weft_order *o, struct weft_order_combination *c,
           const struct weft_order_moment *m)
{
    struct weft_order_moment *at;

    if (is_known(c, m))
        return false;
    if (c->count < WEFT_ORDER_MOMENTS) {
        if (c->count == c->room && !grow_moments(o, c))
            return false;
        at = &c->moments[c->count++];
    } else {
        at = &c->moments[FIRST + c->turn++ % (WEFT_ORDER_MOMENTS - FIRST)];
        weft_order_let_go_(o, at);
    }
    *at = *m;
    weft_order_keep_(m);
    return true;
}

struct weft_order_combination *
weft_order_note_(struct weft_order_thread *t, const struct weft_dl_held *wanted,
                 const struct weft_dl_held *held, uint32_t held_count,
                 bool *is_new)
{
    struct weft_order *o = t->graph;
    struct weft_order_lock *lock = get_lock(o, wanted);

    if (lock == NULL)
        return NULL;
    struct weft_order_stack *s = get_stacks(o, lock, held, held_count);
    if (s == NULL)
        return NULL;
    struct weft_order_combination *c = get_combination(o, s, lock, wanted);
    const struct weft_order_moment now = weft_order_now_(t->node);
    *is_new = c != NULL && add_moment(o, c, &now);
    if (*is_new) {
        t->node->noted = true;
        weft_order_see_(o, &now);
        t->node->turn++;
    }
    return c;
}

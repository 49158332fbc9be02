/* SPDX-License-Identifier: MIT */
/*
 * order_found.c - what was found: each set of places once.
 *
 * A finding is a picture as of threads that wait for each other, for the same
 * reports.
 *
 * Ordering.  See order.c.
 *
 *     order.found  a finding is written  ->  who reads the list
 */
#include "deadlock/order_impl.h"

bool
weft_order_is_told_(struct weft_order *o, uint64_t mark)
{
    struct weft_order_told *t = o->told[mark & o->mask];

    while (t != NULL && t->mark != mark)
        t = t->next;
    return t != NULL;
}

void
weft_order_set_told_(struct weft_order *o, uint64_t mark)
{
    struct weft_order_told *t = weft_order_take_(o, sizeof(*t));

    if (t == NULL)
        return;
    t->mark = mark;
    t->next = o->told[mark & o->mask];
    o->told[mark & o->mask] = t;
}

static bool
copy_held(struct weft_order *o, struct weft_dl_thread *t,
          const struct weft_order_stack *s)
{
    if (s->depth == 0)
        return true;
    struct weft_dl_held *h = weft_order_take_(o, s->depth * sizeof(*h));
    if (h == NULL)
        return false;
    t->held = h;
    t->held_count = s->depth;
    for (; s->outer != NULL; s = s->outer)
        h[s->depth - 1] =
            (struct weft_dl_held){s->lock->object, s->kind, s->place->place};
    return true;
}

/* The `i`-th of so many; its `need` is its own. */
static bool
draw_thread(struct weft_order *o, struct weft_dl_thread *t, uint32_t i,
            uint32_t length, const struct weft_order_combination *c,
            const struct weft_order_node *n)
{
    uint32_t *need = weft_order_take_(o, sizeof(*need));

    if (need == NULL || !copy_held(o, t, c->held))
        return false;
    *need = (i + 1) % length;
    t->id = n->id;
    for (size_t k = 0; k < sizeof(t->name); k++)
        t->name[k] = n->name[k];
    if (t->name[0] == '\0' && o->options.name_of != NULL)
        o->options.name_of(o->options.context, n->id, t->name, sizeof(t->name));
    t->state = WEFT_DL_BLOCKED;
    t->since = i;
    t->wait.object = c->lock->object;
    t->wait.kind = c->kind;
    t->wait.rule = WEFT_DL_ALL;
    t->wait.needs = need;
    t->wait.needs_count = 1;
    t->wait.sequence = 1;
    t->wait.place = c->place->place;
    t->next = i + 1 < length ? i + 1 : WEFT_DL_NONE;
    t->stuck = true;
    return true;
}

static void
add_found(struct weft_order *o, struct weft_order_found *f)
{
    struct weft_order_found *_Atomic *at =
        o->last != NULL ? &o->last->next : &o->first;

    /* release: order.found */
    atomic_store_explicit(at, f, memory_order_release);
    o->last = f;
    o->news = true;
}

void
weft_order_tell_(struct weft_order *o,
                 struct weft_order_combination *const *path,
                 const struct weft_order_moment *at, uint32_t length,
                 const char *doubt)
{
    struct weft_order_found *f = weft_order_take_(o, sizeof(*f));
    struct weft_dl_thread *t = weft_order_take_(o, length * sizeof(*t));

    if (f == NULL || t == NULL)
        return;
    for (uint32_t i = 0; i < length; i++)
        if (!draw_thread(o, &t[i], i, length, path[i], at[i].node))
            return;
    f->picture.threads = t;
    f->picture.count = length;
    f->found.level = doubt == NULL ? WEFT_DL_FEASIBLE : WEFT_DL_ORDER;
    f->found.shape = WEFT_DL_CYCLE;
    f->found.certain = doubt == NULL;
    f->found.doubt = doubt;
    f->found.count = length;
    f->found.behind = WEFT_DL_NONE;
    f->found.youngest = length - 1;
    f->found.ended = WEFT_DL_NONE;
    add_found(o, f);
}

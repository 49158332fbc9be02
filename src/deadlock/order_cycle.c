/* SPDX-License-Identifier: MIT */
/*
 * order_cycle.c - cycles of combinations, and what is said of them.
 *
 * A cycle goes through what was just noted, so each is looked for when its last
 * part comes.  First the locks that lead to one of those held are marked, with
 * their distance: mostly the wanted one is not among them, and that was all.
 * Then paths are followed, the short ones first, along marked locks only.  Of a
 * closed path one moment of each combination is chosen so that all are of
 * different threads and none must come before another.
 *
 * Joshi et al. compare the held locks of all edges of a cycle pair by pair, and
 * so does this: two who hold one lock exclude each other, wherever they are in
 * the cycle.
 *
 * Ordering.  See order.c.
 *
 *     order.found  a finding is written  ->  who reads the list
 */
#include "deadlock/order_impl.h"

#define STEPS 100000 /* of one search */

#define BY_GATE  "a lock that they hold as well keeps them apart"
#define BY_CLOCK "one waits until the other is done, by other means than locks"

struct search {
    struct weft_order *o;
    uint32_t length;
    uint32_t steps;
    struct weft_order_combination *path[WEFT_ORDER_LONGEST];
    struct weft_order_moment at[WEFT_ORDER_LONGEST];
    /* Whose doing the first one waits for, and when it was; or NULL. */
    const struct weft_order_moment *doer;
    bool gated;
    bool apart; /* any moments of different threads will do */
};

/* How `s` holds `lock`; NULL: it does not. */
static const struct weft_order_stack *
find_held(const struct weft_order_stack *s, const struct weft_order_lock *lock)
{
    while (s->outer != NULL && s->lock != lock)
        s = s->outer;
    return s->outer != NULL ? s : NULL;
}

/* Whether two that hold these can never do so at the same time. */
static bool
exclude(const struct weft_order_stack *a, const struct weft_order_stack *b)
{
    for (; a->outer != NULL; a = a->outer) {
        const struct weft_order_stack *s = find_held(b, a->lock);
        if (s != NULL && weft_order_conflict_(a->kind, s->kind))
            return true;
    }
    return false;
}

/* --- what was told -------------------------------------------------------- */

/* How the combination `i` of the path holds what the one before wants; NULL: that
 * one waits for the thread. */
static const struct weft_order_stack *
taken_before(const struct search *s, uint32_t i)
{
    const uint32_t before = (i + s->length - 1) % s->length;

    return find_held(s->path[i]->held, s->path[before]->lock);
}

static uint64_t
mark_of(const struct weft_order_place *p, const struct weft_order_lock *l)
{
    return weft_order_hash_2_(1, p->place.call[0] != 0 ? (const void *)p : l);
}

/* A number for the set of places, however many threads are there. */
static uint64_t
mark_of_path(const struct search *s, bool plain)
{
    uint64_t marks[2 * WEFT_ORDER_LONGEST];
    uint32_t n = 0;
    uint64_t sum = plain;

    for (uint32_t i = 0; i < s->length; i++) {
        const struct weft_order_stack *h = taken_before(s, i);
        marks[n++] = mark_of(s->path[i]->place, s->path[i]->lock);
        if (h != NULL)
            marks[n++] = mark_of(h->place, h->lock);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (marks[k] != marks[i])
            k++;
        if (k == i)
            sum += weft_order_hash_(marks[i]);
    }
    return sum;
}

static bool
is_told(struct weft_order *o, uint64_t mark)
{
    struct weft_order_told *t = o->told[mark & o->mask];

    while (t != NULL && t->mark != mark)
        t = t->next;
    return t != NULL;
}

static void
set_told(struct weft_order *o, uint64_t mark)
{
    struct weft_order_told *t = weft_order_take_(o, sizeof(*t));

    if (t == NULL)
        return;
    t->mark = mark;
    t->next = o->told[mark & o->mask];
    o->told[mark & o->mask] = t;
}

/* --- findings ------------------------------------------------------------- */

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

static bool
draw_thread(const struct search *s, uint32_t i, struct weft_dl_thread *t)
{
    const struct weft_order_combination *c = s->path[i];
    const struct weft_order_node *n = s->at[i].node;
    uint32_t *need = weft_order_take_(s->o, sizeof(*need));

    if (need == NULL || !copy_held(s->o, t, c->held))
        return false;
    *need = (i + 1) % s->length;
    t->id = n->id;
    for (size_t k = 0; k < sizeof(t->name); k++)
        t->name[k] = n->name[k];
    if (t->name[0] == '\0' && s->o->options.name_of != NULL)
        s->o->options.name_of(s->o->options.context, n->id, t->name,
                              sizeof(t->name));
    t->state = WEFT_DL_BLOCKED;
    t->since = i;
    t->wait.object = c->lock->object;
    t->wait.kind = c->kind;
    t->wait.rule = WEFT_DL_ALL;
    t->wait.needs = need;
    t->wait.needs_count = 1;
    t->wait.sequence = 1;
    t->wait.place = c->place->place;
    t->next = i + 1 < s->length ? i + 1 : WEFT_DL_NONE;
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

static void
tell(const struct search *s, const char *doubt)
{
    struct weft_order *o = s->o;
    struct weft_order_found *f = weft_order_take_(o, sizeof(*f));
    struct weft_dl_thread *t = weft_order_take_(o, s->length * sizeof(*t));

    if (f == NULL || t == NULL)
        return;
    for (uint32_t i = 0; i < s->length; i++)
        if (!draw_thread(s, i, &t[i]))
            return;
    f->picture.threads = t;
    f->picture.count = s->length;
    f->found.level = doubt == NULL ? WEFT_DL_FEASIBLE : WEFT_DL_ORDER;
    f->found.shape = WEFT_DL_CYCLE;
    f->found.certain = doubt == NULL;
    f->found.doubt = doubt;
    f->found.count = s->length;
    f->found.behind = WEFT_DL_NONE;
    f->found.youngest = s->length - 1;
    f->found.ended = WEFT_DL_NONE;
    add_found(o, f);
}

/* --- moments -------------------------------------------------------------- */

/* Whether moment `k` of the path goes together with those before it. */
static bool
goes_with(const struct search *s, uint32_t k)
{
    if (s->doer != NULL && k == 1 &&
        (s->at[1].node != s->doer->node || s->at[1].time > s->doer->time))
        return false;
    for (uint32_t i = 0; i < k; i++)
        if (s->at[i].node == s->at[k].node ||
            (!s->apart && (weft_order_is_before_(&s->at[i], &s->at[k]) ||
                           weft_order_is_before_(&s->at[k], &s->at[i]))))
            return false;
    return true;
}

/* Choose moments for the combinations of the path from the k-th. */
static bool
choose_moments(struct search *s, uint32_t k)
{
    if (k == s->length)
        return true;
    const struct weft_order_combination *c = s->path[k];
    for (uint32_t i = 0; i < c->count && s->steps > 0; i++) {
        s->steps--;
        s->at[k] = c->moments[i];
        if (goes_with(s, k) && choose_moments(s, k + 1))
            return true;
    }
    return false;
}

/* The path is closed: is it a deadlock? */
static void
judge(struct search *s)
{
    const uint64_t feasible = mark_of_path(s, false);
    const uint64_t plain = mark_of_path(s, true);

    if (is_told(s->o, feasible))
        return;
    s->apart = false;
    if (!s->gated && choose_moments(s, 1)) {
        set_told(s->o, feasible);
        tell(s, NULL);
        return;
    }
    if (!s->o->options.plain || s->doer != NULL || is_told(s->o, plain))
        return;
    s->apart = true;
    if (choose_moments(s, 1)) {
        set_told(s->o, plain);
        tell(s, s->gated ? BY_GATE : BY_CLOCK);
    }
}

/* --- paths ---------------------------------------------------------------- */

/* Mark what leads to a lock of `held`, in fewer edges than a cycle may have.
 * Return the first; then `queue`. */
static struct weft_order_lock *
mark_ways(struct weft_order *o, const struct weft_order_stack *held)
{
    struct weft_order_lock *first = NULL;
    struct weft_order_lock **last = &first;
    const uint64_t seen = ++o->seen;

    for (; held->outer != NULL; held = held->outer) {
        held->lock->seen = seen;
        held->lock->far = 0;
        held->lock->queue = NULL;
        *last = held->lock;
        last = &held->lock->queue;
    }
    for (struct weft_order_lock *l = first; l != NULL; l = l->queue) {
        if (l->far == WEFT_ORDER_LONGEST - 1)
            break;
        for (struct weft_order_edge *e = l->in; e != NULL; e = e->next_in) {
            if (e->from->seen == seen)
                continue;
            e->from->seen = seen;
            e->from->far = l->far + 1;
            e->from->queue = NULL;
            *last = e->from;
            last = &e->from->queue;
        }
    }
    return first;
}

/* Whether the last combination of the path is the last of a cycle. */
static bool
is_closed(const struct search *s)
{
    const struct weft_order_combination *c = s->path[s->length - 1];
    const struct weft_order_stack *h = find_held(s->path[0]->held, c->lock);

    return h != NULL && weft_order_conflict_(c->kind, h->kind);
}

/* Whether the k-th of the path can hold its locks beside those before it. */
static bool
goes_beside(struct search *s, uint32_t k)
{
    for (uint32_t i = 0; i < k; i++)
        if (exclude(s->path[i]->held, s->path[k]->held)) {
            s->gated = true;
            return s->o->options.plain;
        }
    return true;
}

/* Let `c` be the k-th.  Return whether the path goes on there. */
static bool
put(struct search *s, uint32_t k, struct weft_order_combination *c)
{
    s->path[k] = c;
    if ((k + 1 == s->length && !is_closed(s)) || !goes_beside(s, k))
        return false;
    if (k + 1 < s->length)
        return true;
    judge(s);
    return false;
}

/* Go on from the combinations before the k-th. */
static void
follow(struct search *s, uint32_t k)
{
    const uint64_t seen = s->o->seen;
    const struct weft_order_combination *from = s->path[k - 1];
    const bool gated = s->gated;

    for (struct weft_order_edge *e = from->lock->out; e != NULL;
         e = e->next_out) {
        if (e->to->seen != seen || e->to->far > s->length - 1 - k)
            continue;
        for (struct weft_order_link *l = e->links; l != NULL; l = l->next) {
            if (s->steps == 0)
                return;
            s->steps--;
            if (weft_order_conflict_(from->kind, l->kind) &&
                put(s, k, l->combination))
                follow(s, k + 1);
            s->gated = gated;
        }
    }
}

void
weft_order_search_(struct weft_order *o, struct weft_order_combination *c,
                   const struct weft_order_moment *m)
{
    struct search s = {.o = o, .steps = STEPS, .path = {c}, .at = {*m}};

    mark_ways(o, c->held);
    if (c->lock->seen != o->seen)
        return;
    for (s.length = c->lock->far + 1; s.length <= WEFT_ORDER_LONGEST;
         s.length++)
        if (s.length >= 2)
            follow(&s, 1);
}

void
weft_order_search_wait_(struct weft_order *o, struct weft_order_combination *c,
                        const struct weft_order_moment *m,
                        const struct weft_order_moment *doer)
{
    struct search s = {
        .o = o, .steps = STEPS, .path = {c}, .at = {*m}, .doer = doer};
    const struct weft_order_lock *first = mark_ways(o, c->held);

    for (s.length = 2; s.length <= WEFT_ORDER_LONGEST; s.length++)
        for (const struct weft_order_lock *l = first;
             l != NULL && l->far <= s.length - 2; l = l->queue)
            for (struct weft_order_combination *w = l->wanted; w != NULL;
                 w = w->next_wanted)
                if (s.steps > 0) {
                    s.steps--;
                    s.gated = false;
                    if (put(&s, 1, w))
                        follow(&s, 2);
                }
}

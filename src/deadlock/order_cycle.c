/* SPDX-License-Identifier: MIT */
/*
 * order_cycle.c - cycles of combinations.
 *
 * A cycle goes through what was just noted, so each is looked for when its last
 * part comes.  First the locks that lead to one of those held are marked, with
 * their distance: mostly the wanted one is not among them, and that was all.
 * Then paths are followed, the short ones first, along marked locks only.  Of a
 * closed path one moment of each combination is chosen so that all are of
 * different threads and none must come before another.
 *
 * A cycle has no more threads than there are slots (order_clock.c): two that had
 * one slot never meet.  Two threads are then not asked for what takes three.
 *
 * Once a cycle is found longer ones are not looked for: they would be most of
 * those in a program that takes many locks in any order.  Neither are all there
 * where so many do not count that the steps are used up.
 *
 * Joshi et al. compare the held locks of all edges of a cycle pair by pair, and
 * so does this: two who hold one lock exclude each other, wherever they are in
 * the cycle.
 */
#include "deadlock/order_impl.h"

/* Steps of one search; of all, after which one has few. */
#define STEPS     20000
#define FEW_STEPS 1000
#define MANY      4000000

#define BY_GATE  "a lock that they hold as well keeps them apart"
#define BY_CLOCK "one waits until the other is done, by other means than locks"

struct search {
    struct weft_order *o;
    uint32_t longest; /* that a cycle can be */
    uint32_t length;
    uint32_t steps; /* that are left */
    bool closed;    /* a cycle of this length is one, told or not */
    struct weft_order_lock *marked;    /* then `queue` */
    uint32_t near[WEFT_ORDER_LONGEST]; /* how many are so far at most */
    struct weft_order_combination *path[WEFT_ORDER_LONGEST];
    struct weft_order_moment at[WEFT_ORDER_LONGEST];
    /* Whose doing the first one waits for, and when it was; or NULL. */
    const struct weft_order_moment *doer;
    bool gated;
    bool apart; /* any moments of different threads will do */
};

static void
use_steps(struct search *s, uint32_t steps)
{
    s->steps -= steps < s->steps ? steps : s->steps;
}

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

/* How the combination `i` of the path holds what the one before wants; NULL:
 * that one waits for the thread. */
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
    if (k == s->length) {
        uint32_t looked = 0;
        const bool so =
            s->apart || weft_order_go_together_(s->path, s->at, k, &looked);
        use_steps(s, looked);
        return so;
    }
    const struct weft_order_combination *c = s->path[k];
    for (uint32_t i = 0; i < c->count && s->steps > 0; i++) {
        use_steps(s, 1);
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

    use_steps(s, 16);
    if (weft_order_is_told_(s->o, feasible)) {
        s->closed = true;
        return;
    }
    s->apart = false;
    if (!s->gated && choose_moments(s, 1)) {
        s->closed = true;
        weft_order_set_told_(s->o, feasible);
        weft_order_tell_(s->o, s->path, s->at, s->length, NULL);
        return;
    }
    if (!s->o->options.plain || s->doer != NULL ||
        weft_order_is_told_(s->o, plain))
        return;
    s->apart = true;
    if (choose_moments(s, 1)) {
        weft_order_set_told_(s->o, plain);
        weft_order_tell_(s->o, s->path, s->at, s->length,
                         s->gated ? BY_GATE : BY_CLOCK);
    }
}

/* --- paths ---------------------------------------------------------------- */

/* Mark `l`, which is so far, as the last; return where the next goes. */
static struct weft_order_lock **
mark(struct search *s, struct weft_order_lock **last, struct weft_order_lock *l,
     uint32_t far)
{
    l->seen = s->o->seen;
    l->far = far;
    l->queue = NULL;
    s->near[far]++;
    *last = l;
    return &l->queue;
}

/* Mark what leads to a lock that the first of the path holds, in fewer edges
 * than a cycle may have, the nearest first: all of those, and of others as many
 * as half of the steps are enough for. */
static void
mark_ways(struct search *s)
{
    const struct weft_order_stack *held = s->path[0]->held;
    const uint32_t rest = s->steps / 2;
    const uint64_t seen = ++s->o->seen;
    struct weft_order_lock **last = &s->marked;

    for (; held->outer != NULL; held = held->outer)
        last = mark(s, last, held->lock, 0);
    for (struct weft_order_lock *l = s->marked; l != NULL; l = l->queue) {
        if (l->far + 1 >= s->longest || (l->far > 0 && s->steps <= rest))
            break;
        for (struct weft_order_edge *e = l->in; e != NULL; e = e->next_in) {
            use_steps(s, s->steps > rest);
            if (e->from->seen != seen)
                last = mark(s, last, e->from, l->far + 1);
        }
    }
    for (uint32_t far = 1; far < WEFT_ORDER_LONGEST; far++)
        s->near[far] += s->near[far - 1];
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
    const struct weft_order_stack *held = s->path[k]->held;

    for (uint32_t i = 0; i < k; i++) {
        use_steps(s, held->depth * s->path[i]->held->depth / 64);
        if (exclude(s->path[i]->held, held)) {
            s->gated = true;
            return s->o->options.plain;
        }
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

/* Edges from a lock to what is near enough.  They are looked for where there
 * are fewer, at this end or at the other. */
struct edges {
    struct weft_order_lock *from;
    uint32_t far;
    struct weft_order_edge *out; /* the next to be looked at; or */
    struct weft_order_lock *to;
};

static struct edges
edges_of(const struct search *s, uint32_t k)
{
    struct edges e = {.from = s->path[k - 1]->lock, .far = s->length - 1 - k};

    if (s->near[e.far] < e.from->outs)
        e.to = s->marked;
    else
        e.out = e.from->out;
    return e;
}

static const struct weft_order_edge *
next_edge(struct search *s, struct edges *e)
{
    while (e->to != NULL && e->to->far <= e->far && s->steps > 0) {
        const struct weft_order_edge *found =
            weft_order_find_edge_(s->o, e->from, e->to);
        use_steps(s, 1);
        e->to = e->to->queue;
        if (found != NULL)
            return found;
    }
    while (e->out != NULL && s->steps > 0) {
        const struct weft_order_edge *found = e->out;
        use_steps(s, 1);
        e->out = e->out->next_out;
        if (found->to->seen == s->o->seen && found->to->far <= e->far)
            return found;
    }
    return NULL;
}

/* Go on from the combinations before the k-th. */
static void
follow(struct search *s, uint32_t k)
{
    const enum weft_kind wanted = s->path[k - 1]->kind;
    const bool gated = s->gated;
    struct edges edges = edges_of(s, k);
    const struct weft_order_edge *e;

    while ((e = next_edge(s, &edges)) != NULL)
        for (struct weft_order_link *l = e->links; l != NULL && s->steps > 0;
             l = l->next) {
            use_steps(s, 1);
            if (weft_order_conflict_(wanted, l->kind) &&
                put(s, k, l->combination))
                follow(s, k + 1);
            s->gated = gated;
        }
}

/* Threads that can meet have slots of their own. */
static struct search
begin_search(struct weft_order *o, struct weft_order_combination *c,
             const struct weft_order_moment *m)
{
    const uint32_t most = o->options.plain ? UINT32_MAX : o->slots;

    return (struct search){
        .o = o,
        .longest = most < WEFT_ORDER_LONGEST ? most : WEFT_ORDER_LONGEST,
        .steps = o->steps < MANY ? STEPS : FEW_STEPS,
        .path = {c},
        .at = {*m}};
}

static void
end_search(const struct search *s)
{
    s->o->steps += (s->o->steps < MANY ? STEPS : FEW_STEPS) - s->steps;
}

void
weft_order_search_(struct weft_order *o, struct weft_order_combination *c,
                   const struct weft_order_moment *m)
{
    struct search s = begin_search(o, c, m);

    /* Nobody waits for who holds nothing, and nobody who has it ever waited. */
    if (c->held->depth == 0 || c->lock->out == NULL)
        return;
    mark_ways(&s);
    s.length = c->lock->seen == o->seen ? c->lock->far + 1 : 0;
    for (; s.length > 0 && s.length <= s.longest && !s.closed; s.length++)
        follow(&s, 1);
    end_search(&s);
}

void
weft_order_search_wait_(struct weft_order *o, struct weft_order_combination *c,
                        const struct weft_order_moment *m,
                        const struct weft_order_moment *doer)
{
    struct search s = begin_search(o, c, m);

    mark_ways(&s);
    s.doer = doer;
    for (s.length = 2; s.length <= s.longest && !s.closed; s.length++)
        for (const struct weft_order_lock *l = s.marked;
             l != NULL && l->far <= s.length - 2; l = l->queue)
            for (struct weft_order_combination *w = l->wanted;
                 w != NULL && s.steps > 0; w = w->next_wanted) {
                use_steps(&s, 1);
                s.gated = false;
                if (put(&s, 1, w))
                    follow(&s, 2);
            }
    end_search(&s);
}

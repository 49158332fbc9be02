/* SPDX-License-Identifier: MIT */
/*
 * order_forget.c - objects whose memory is another's from now on.
 *
 * Every free of a program is told, so most are answered by filters: a count for
 * every page of what is noted there, eight of which are looked at as one, and
 * one for every 64 bytes.  Counts are shared; one for others costs a look into a
 * table.  One that has come to its end stays there.
 *
 * A lock that was only ever taken alone leaves at once with all that is noted of
 * it: nothing in the graph leads to it.  Any other that has ended is found no
 * more, but stays in the graph until there are as many dead ones as live.  Then all combinations with a dead one go,
 * which are all the stacks, edges and moments that know it.  A cycle that
 * another thread would close later through locks that are no more is lost with
 * them.
 *
 * Ordering.  The filter is relaxed: who frees memory is behind who locked
 * something in it, by the program's own doing.
 */
#include "deadlock/order_impl.h"

#define DEAD 4096 /* worth a sweep */
#define MANY 255  /* no longer counted */

#define LINE  64u /* bytes */
#define LINES 64u /* of a page */

static size_t
place_of(uintptr_t line)
{
    return (line * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - 15);
}

static uint64_t
counts_of_pages(const struct weft_order *o, uintptr_t page)
{
    return atomic_load_explicit(&o->pages[page % WEFT_ORDER_PAGES / 8],
                                memory_order_relaxed);
}

/* Changed under the lock of the graph. */
static void
count(struct weft_order *o, const void *object, bool is_more)
{
    const uintptr_t line = (uintptr_t)object / LINE;
    const uintptr_t page = line / LINES;
    const unsigned lane = page % 8 * 8;
    const uint64_t counts = counts_of_pages(o, page);
    const uint64_t one = UINT64_C(1) << lane;
    _Atomic uint8_t *at = &o->filter[place_of(line)];
    const int n = atomic_load_explicit(at, memory_order_relaxed);

    if (n != MANY)
        atomic_store_explicit(at, (uint8_t)(is_more ? n + 1 : n - 1),
                              memory_order_relaxed);
    if ((counts >> lane & 0xff) != MANY)
        atomic_store_explicit(&o->pages[page % WEFT_ORDER_PAGES / 8],
                              is_more ? counts + one : counts - one,
                              memory_order_relaxed);
}

void
weft_order_mark_(struct weft_order *o, const void *object)
{
    count(o, object, true);
}

void
weft_order_unmark_(struct weft_order *o, const void *object)
{
    count(o, object, false);
}

/* The first page from `page` to `last` that has something, or seems to; behind
 * `last`: none. */
static uintptr_t
next_page(const struct weft_order *o, uintptr_t page, uintptr_t last)
{
    while (page <= last) {
        const uint64_t counts = counts_of_pages(o, page) >> page % 8 * 8;
        if ((counts & 0xff) != 0)
            break;
        page += counts != 0 ? 1 : 8 - page % 8;
    }
    return page;
}

/* The same with lines. */
static uintptr_t
next_line(const struct weft_order *o, uintptr_t line, uintptr_t last)
{
    while (line <= last) {
        const uintptr_t page = next_page(o, line / LINES, last / LINES);
        if (page != line / LINES)
            line = page * LINES;
        else if (atomic_load_explicit(&o->filter[place_of(line)],
                                      memory_order_relaxed) != 0)
            break;
        else
            line++;
    }
    return line;
}

/* --- the sweep ------------------------------------------------------------ */

/* Mark stacks with a dead lock; then take them out of the table. */
static struct weft_order_stack *
sweep_stacks(struct weft_order *o)
{
    struct weft_order_stack *all = NULL;

    for (size_t i = 0; i <= o->mask; i++) {
        struct weft_order_stack **at = &o->stacks[i];
        while (*at != NULL) {
            struct weft_order_stack *s = *at;
            const struct weft_order_stack *k = s;
            while (k->outer != NULL && !k->lock->dead)
                k = k->outer;
            s->dead = k->outer != NULL;
            if (!s->dead) {
                at = &s->next;
                continue;
            }
            *at = s->next;
            s->next = all;
            all = s;
        }
    }
    return all;
}

/* The same with combinations; the others are listed with their locks anew. */
static struct weft_order_combination *
sweep_combinations(struct weft_order *o)
{
    struct weft_order_combination *all = NULL;

    for (size_t i = 0; i <= o->mask; i++) {
        struct weft_order_combination **at = &o->combinations[i];
        while (*at != NULL) {
            struct weft_order_combination *c = *at;
            c->dead = c->lock->dead || c->held->dead;
            if (!c->dead) {
                c->next_wanted = c->lock->wanted;
                c->lock->wanted = c;
                at = &c->next;
                continue;
            }
            *at = c->next;
            c->next = all;
            all = c;
        }
    }
    return all;
}

static void
sweep_links(struct weft_order *o, struct weft_order_edge *e)
{
    struct weft_order_link **at = &e->links;

    while (*at != NULL) {
        struct weft_order_link *l = *at;
        if (!l->combination->dead) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        weft_order_give_(o, l, sizeof(*l));
    }
}

static void
sweep_edges(struct weft_order *o)
{
    for (size_t i = 0; i <= o->mask; i++) {
        struct weft_order_edge **at = &o->edges[i];
        while (*at != NULL) {
            struct weft_order_edge *e = *at;
            sweep_links(o, e);
            if (e->links == NULL) {
                *at = e->next;
                weft_order_give_(o, e, sizeof(*e));
                continue;
            }
            e->next_out = e->from->out;
            e->from->out = e;
            e->from->outs++;
            e->next_in = e->to->in;
            e->to->in = e;
            at = &e->next;
        }
    }
}

/* Threads do not wait any more for what is dead. */
static void
sweep_waits(struct weft_order *o)
{
    for (size_t i = 0; i <= o->mask; i++)
        for (struct weft_order_node *n = o->nodes[i]; n != NULL; n = n->next)
            if (n->awaits != NULL && n->awaits->dead) {
                n->awaits = NULL;
                weft_order_drop_clock_(o, n->awaits_at.clock);
            }
}

static void
give_combinations(struct weft_order *o, struct weft_order_combination *c)
{
    while (c != NULL) {
        struct weft_order_combination *next = c->next;
        for (uint32_t i = 0; i < c->count; i++)
            weft_order_let_go_(o, &c->moments[i]);
        if (c->room > 0)
            weft_order_give_(o, c->moments, c->room * sizeof(c->moments[0]));
        weft_order_give_(o, c, sizeof(*c));
        c = next;
    }
}

static void
detach(struct weft_order_lock *l)
{
    l->out = NULL;
    l->outs = 0;
    l->in = NULL;
    l->wanted = NULL;
}

static void
sweep(struct weft_order *o)
{
    for (size_t i = 0; i <= o->mask; i++)
        for (struct weft_order_lock *l = o->locks[i]; l != NULL; l = l->next)
            detach(l);
    struct weft_order_stack *stacks = sweep_stacks(o);
    struct weft_order_combination *combinations = sweep_combinations(o);
    sweep_edges(o);
    sweep_waits(o);
    give_combinations(o, combinations);
    while (stacks != NULL) {
        struct weft_order_stack *next = stacks->next;
        stacks->lock->stacks--;
        weft_order_give_(o, stacks, sizeof(*stacks));
        stacks = next;
    }
    while (o->ends != NULL) {
        struct weft_order_lock *next = o->ends->next;
        weft_order_give_(o, o->ends, sizeof(*o->ends));
        o->ends = next;
    }
    o->dead = 0;
}

/* --- what is forgotten ---------------------------------------------------- */

/* Take what wants a lock that was only taken alone out of the table. */
static struct weft_order_combination *
unlink_wanted(struct weft_order *o, struct weft_order_lock *l)
{
    struct weft_order_combination *all = NULL;

    for (struct weft_order_combination *c = l->wanted; c != NULL;
         c = c->next_wanted) {
        struct weft_order_combination **at =
            weft_order_combination_bucket_(o, c->held, l, c->place);
        while (*at != c)
            at = &(*at)->next;
        *at = c->next;
        c->next = all;
        all = c;
    }
    return all;
}

static void
end_life(struct weft_order *o, struct weft_order_lock *l)
{
    const enum weft_kind kinds[] = {l->kind, WEFT_KIND_WRITE};

    for (int i = 0; i < 1 + (l->kind == WEFT_KIND_READ); i++) {
        _Atomic uint64_t *lives =
            &weft_order_lives_[weft_order_scatter_(l->object, kinds[i]) >> 58];
        atomic_store_explicit(
            lives, atomic_load_explicit(lives, memory_order_relaxed) + 1,
            memory_order_relaxed);
    }
    o->live--;
    weft_order_unmark_(o, l->object);
    if (l->in == NULL && l->out == NULL && l->stacks == 0) {
        give_combinations(o, unlink_wanted(o, l));
        weft_order_give_(o, l, sizeof(*l));
        return;
    }
    l->dead = true;
    l->next = o->ends;
    o->ends = l;
    o->dead++;
}

/* Forget what is in the bytes, of what is noted where `address` would be. */
static void
forget_at(struct weft_order *o, uintptr_t address, uintptr_t begin,
          size_t bytes)
{
    struct weft_order_lock **at = weft_order_lock_bucket_(o, address);

    while (*at != NULL) {
        struct weft_order_lock *l = *at;
        if ((uintptr_t)l->object - begin < bytes) {
            *at = l->next;
            end_life(o, l);
        } else {
            at = &l->next;
        }
    }
    weft_order_forget_syncs_(o, address, begin, bytes);
}

/* More memory than there are buckets: look into each.  Both tables have the
 * same address in the same place. */
static void
forget_much(struct weft_order *o, uintptr_t begin, size_t bytes)
{
    for (size_t i = 0; i <= o->mask; i++)
        if (o->locks[i] != NULL)
            forget_at(o, (uintptr_t)o->locks[i]->object, begin, bytes);
        else if (o->syncs[i] != NULL)
            forget_at(o, (uintptr_t)o->syncs[i]->object, begin, bytes);
}

/* Whether there are fewer pages than this memory has. */
static bool
is_much(size_t bytes)
{
    return bytes / (LINE * LINES) >= WEFT_ORDER_PAGES;
}

/* From the first line in which something may be. */
static void
forget(struct weft_order *o, uintptr_t begin, size_t bytes, uintptr_t line)
{
    const uintptr_t last = (begin + bytes - 1) / LINE;

    if (is_much(bytes))
        forget_much(o, begin, bytes);
    else
        for (; line <= last; line = next_line(o, line + 1, last))
            forget_at(o, line * LINE, begin, bytes);
    if (o->dead >= DEAD && o->dead >= o->live)
        sweep(o);
}

/* Whether there may be something to forget; then the first line of that. */
static bool
is_worth_it(const struct weft_order *o, uintptr_t begin, size_t bytes,
            uintptr_t *line)
{
    const uintptr_t last = (begin + bytes - 1) / LINE;

    if (weft_order_is_full_(o))
        return false;
    if (is_much(bytes))
        return true;
    *line = next_line(o, begin / LINE, last);
    return *line <= last;
}

void
weft_order_forgets_(struct weft_order *o, const void *object, size_t bytes)
{
    const uintptr_t begin = (uintptr_t)object;
    uintptr_t line = 0;
    uint64_t signals;

    if (bytes == 0)
        bytes = 1;
    if (!is_worth_it(o, begin, bytes, &line) ||
        !weft_order_lock_alone_(o, &signals))
        return;
    forget(o, begin, bytes, line);
    weft_order_unlock_alone_(o, signals);
}

void
weft_order_forgets_by_(struct weft_order_thread *t, const void *object,
                       size_t bytes)
{
    const uintptr_t begin = (uintptr_t)object;
    uintptr_t line = 0;

    if (bytes == 0 || t->graph == NULL ||
        !is_worth_it(t->graph, begin, bytes, &line) || !weft_order_enter_(t))
        return;
    forget(t->graph, begin, bytes, line);
    weft_order_leave_(t);
}

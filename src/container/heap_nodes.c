/* SPDX-License-Identifier: MIT */
/*
 * container/heap_nodes.c - the memory of the nodes of heap_lockfree.c.
 *
 * What pops have passed is still one chain, from `oldest` to `front`.  One
 * thread at a time gives its beginning back; if another is at it, nobody has to
 * wait: a thread that is stopped here is also between enter and leave, and so
 * nothing would be given back anyway.
 *
 * It goes as far as the first node that is still being linked by its push.
 * For all before it:
 *
 *     level 0       new calls start at `front` or behind it;
 *     above         links lead forward only, so a node can be reached from a
 *                   later one never, and from the beginning of a level only if
 *                   the first node of that level is not behind it.  That is
 *                   made so for each level.  It stays so: a push could put an
 *                   earlier node there only if it still made links, and another
 *                   thread's move from a passed node can only succeed while
 *                   that one is first, which it is never again.
 *
 * What goes back is used again: the helper thread puts it into the heap's pool,
 * a stack, unless that is full.  A push takes from the pool between enter and
 * leave: a node that it has seen on top cannot come back there meanwhile, since
 * it would have to be given back first, and so the stack needs no protection
 * against reuse.  A node keeps its height: those that pops have passed are as
 * tall as chance made them, and so are the nodes of a heap that uses them again.
 *
 * Ordering.
 *
 *     publish       who changes a link          ->  who follows it
 *     heap.move     a pop moves front           ->  who gives back up to there
 *     heap.settle   a push has made its links   ->  who gives its node back
 *     giving        who gave back               ->  who does so next
 *     reuse         a batch comes to the pool   ->  a push takes from it
 *     share         who leaves the pool         ->  the last, which frees it
 */
#include "container/heap_impl.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/sched.h"

#define MOST 4096 /* nodes that a pool keeps */

/* Nodes on their way back, linked by next[0]. */
struct batch {
    struct weft_retired retired;
    struct weft_heap_pool *pool;
    struct weft_heap_node *first;
    struct weft_heap_node *last;
    uint32_t count;
};

static struct weft_heap_node *
next_of(struct weft_heap_node *n)
{
    return weft_heap_led_to_(
        atomic_load_explicit(&n->next[0], memory_order_relaxed));
}

static void
free_chain(struct weft_heap_node *n, uint64_t count)
{
    for (; n != NULL && count > 0; count--) {
        struct weft_heap_node *next = next_of(n);
        free(n);
        n = next;
    }
}

bool
weft_heap_pool_create_(weft_heap *h)
{
    struct weft_heap_pool *p =
        aligned_alloc(alignof(struct weft_heap_pool), sizeof(*p));

    if (p == NULL)
        return false;
    atomic_init(&p->top, 0);
    atomic_init(&p->kept, 0);
    atomic_init(&p->shares, 1);
    p->most = MOST;
    h->pool = p;
    return true;
}

void
weft_heap_pool_leave_(struct weft_heap_pool *p)
{
    /* acq_rel: share */
    if (atomic_fetch_sub_explicit(&p->shares, 1, memory_order_acq_rel) != 1)
        return;
    free_chain(weft_heap_led_to_(
                   /* acquire: reuse */
                   atomic_load_explicit(&p->top, memory_order_acquire)),
               UINT64_MAX);
    free(p);
}

/* Take a node from the pool; NULL: there is none. */
static struct weft_heap_node *
take(struct weft_heap_pool *p)
{
    /* acquire: reuse */
    uintptr_t top = atomic_load_explicit(&p->top, memory_order_acquire);

    while (top != 0) {
        struct weft_heap_node *n = weft_heap_led_to_(top);
        WEFT_SCHED_POINT_("heap.push.reuse");
        if (atomic_compare_exchange_weak_explicit(
                &p->top, &top, (uintptr_t)next_of(n),
                memory_order_acquire, /* acquire: reuse */
                memory_order_acquire)) {
            atomic_fetch_sub_explicit(&p->kept, 1, memory_order_relaxed);
            return n;
        }
    }
    return NULL;
}

struct weft_heap_node *
weft_heap_node_(struct weft_heap_pool *p, unsigned height, void *item,
                int64_t key)
{
    struct weft_heap_node *n = take(p);

    if (n == NULL) {
        n = malloc(sizeof(*n) + height * sizeof(n->next[0]));
        if (n == NULL)
            return NULL;
        n->height = (uint8_t)height;
        for (unsigned i = 0; i < height; i++)
            atomic_init(&n->next[i], 0);
    }
    n->item = item;
    n->key = key;
    atomic_store_explicit(&n->linked, 0, memory_order_relaxed);
    atomic_store_explicit(&n->taken, 0, memory_order_relaxed);
    return n;
}

static uintptr_t
follow(_Atomic uintptr_t *link)
{
    /* acquire: publish */
    return atomic_load_explicit(link, memory_order_acquire);
}

static bool
is_passed(struct weft_heap_node *n)
{
    return (follow(&n->next[0]) & WEFT_HEAP_TAKEN) != 0;
}

/* No node at the beginning of level `i` is passed. */
static void
clear_beginning(weft_heap *h, unsigned i)
{
    uintptr_t first = follow(&h->first[i]);

    while (first != 0 && is_passed(weft_heap_led_to_(first))) {
        struct weft_heap_node *n = weft_heap_led_to_(first);
        while (n != NULL && is_passed(n))
            n = weft_heap_led_to_(follow(&n->next[i]));
        if (atomic_compare_exchange_strong_explicit(
                &h->first[i], &first, (uintptr_t)n,
                memory_order_release, /* release: publish */
                memory_order_relaxed))
            first = (uintptr_t)n;
        else
            first = follow(&h->first[i]);
    }
}

/* Nobody reads these nodes any more: into the pool, or away. */
static void
take_in(struct weft_retired *r)
{
    struct batch *b = (void *)((char *)r - offsetof(struct batch, retired));
    struct weft_heap_pool *p = b->pool;

    if (atomic_load_explicit(&p->kept, memory_order_relaxed) + b->count >
        p->most) {
        free_chain(b->first, b->count);
    } else {
        atomic_fetch_add_explicit(&p->kept, b->count, memory_order_relaxed);
        uintptr_t top = atomic_load_explicit(&p->top, memory_order_relaxed);
        do
            atomic_store_explicit(&b->last->next[0], top, memory_order_relaxed);
        while (!atomic_compare_exchange_weak_explicit(
            &p->top, &top, (uintptr_t)b->first,
            memory_order_release, /* release: reuse */
            memory_order_relaxed));
    }
    free(b);
    weft_heap_pool_leave_(p);
}

/* Give `count` nodes from `first` to `last` back; false: no memory. */
static bool
defer(struct weft_heap_pool *p, struct weft_heap_node *first,
      struct weft_heap_node *last, uint32_t count)
{
    struct batch *b = malloc(sizeof(*b));

    if (b == NULL)
        return false;
    *b =
        (struct batch){.pool = p, .first = first, .last = last, .count = count};
    atomic_fetch_add_explicit(&p->shares, 1, memory_order_relaxed);
    weft_reclaim_defer_(&b->retired, take_in);
    return true;
}

/* Give back what is passed and settled; this thread alone is here. */
static void
give_back(weft_heap *h)
{
    struct weft_heap_node *const first = h->oldest;
    /* acquire: heap.move */
    const struct weft_heap_node *front =
        atomic_load_explicit(&h->front, memory_order_acquire);
    struct weft_heap_node *end = first;
    struct weft_heap_node *last = first;
    uint32_t count = 0;

    while (end != front && count < UINT32_MAX &&
           /* acquire: heap.settle */
           atomic_load_explicit(&end->linked, memory_order_acquire) != 0) {
        last = end;
        end = weft_heap_led_to_(follow(&end->next[0]));
        count++;
    }
    if (count == 0)
        return;
    for (unsigned i = WEFT_HEAP_LEVELS - 1; i > 0; i--)
        clear_beginning(h, i);
    if (defer(h->pool, first, last, count))
        h->oldest = end;
}

void
weft_heap_give_back_(weft_heap *h)
{
    /* acquire: giving */
    if (atomic_exchange_explicit(&h->giving, 1, memory_order_acquire) != 0)
        return;
    WEFT_SCHED_POINT_("heap.pop.give");
    give_back(h);
    /* release: giving */
    atomic_store_explicit(&h->giving, 0, memory_order_release);
}

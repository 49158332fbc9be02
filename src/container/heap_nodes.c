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
 * A batch is given back as one, with the first node's `retired`.
 *
 * Ordering.
 *
 *     publish       who changes a link         ->  who follows it
 *     heap.move     a pop moves front          ->  who gives back up to there
 *     heap.settle   a push has made its links  ->  who gives its node back
 *     giving        who gave back              ->  who does so next
 */
#include "container/heap_impl.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/sched.h"

struct weft_heap_node *
weft_heap_node_create_(unsigned height, void *item, int64_t key)
{
    struct weft_heap_node *n = malloc(sizeof(*n) + height * sizeof(n->next[0]));

    if (n == NULL)
        return NULL;
    n->item = item;
    n->key = key;
    n->height = (uint8_t)height;
    atomic_init(&n->linked, 0);
    atomic_init(&n->taken, 0);
    for (unsigned i = 0; i < height; i++)
        atomic_init(&n->next[i], 0);
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

    while (first != 0 && is_passed(weft_heap_node_(first))) {
        struct weft_heap_node *n = weft_heap_node_(first);
        while (n != NULL && is_passed(n))
            n = weft_heap_node_(follow(&n->next[i]));
        if (atomic_compare_exchange_strong_explicit(
                &h->first[i], &first, (uintptr_t)n,
                memory_order_release, /* release: publish */
                memory_order_relaxed))
            first = (uintptr_t)n;
        else
            first = follow(&h->first[i]);
    }
}

static void
free_batch(struct weft_retired *r)
{
    struct weft_heap_node *n =
        (void *)((char *)r - offsetof(struct weft_heap_node, retired));

    for (uint32_t left = n->batch; left > 0; left--) {
        struct weft_heap_node *next = weft_heap_node_(
            atomic_load_explicit(&n->next[0], memory_order_relaxed));
        free(n);
        n = next;
    }
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
    uint32_t count = 0;

    while (end != front && count < UINT32_MAX &&
           /* acquire: heap.settle */
           atomic_load_explicit(&end->linked, memory_order_acquire) != 0) {
        end = weft_heap_node_(follow(&end->next[0]));
        count++;
    }
    if (count == 0)
        return;
    for (unsigned i = WEFT_HEAP_LEVELS - 1; i > 0; i--)
        clear_beginning(h, i);
    h->oldest = end;
    first->batch = count;
    weft_reclaim_defer_(&first->retired, free_batch);
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

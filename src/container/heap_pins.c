/* SPDX-License-Identifier: MIT */
/*
 * container/heap_pins.c - compare never sees an item that a consumer has.
 *
 * A push that compares has a pin: a word that says at which node it looks.  It
 * writes a node there, then asks whether the node's item is about to be handed
 * out.  A pop writes that it is, then asks every pin whether it is at the node,
 * and returns the item only when none is (hazard pointers turned to items:
 * Maged M. Michael, Hazard Pointers: Safe Memory Reclamation for Lock-Free
 * Objects, IEEE TPDS 2004).
 *
 * A pin per thread and not a count in each node: both cost one atomic
 * read-modify-write a comparison or two, but the nodes that begin the higher
 * levels are those that every push looks at, and would move from CPU to CPU
 * (doc/design/heap.md).
 *
 * A pop waits for a push that is inside the user's compare function.  It spins,
 * then sleeps on the pin's `turn`: it first says so in `waiting`, and who moves
 * the pin then changes `turn` and wakes.
 *
 * Pins are taken for the time of a push; there are as many as pushes were ever
 * running at once, and they are freed with the heap.
 *
 * Ordering.
 *
 *     add        a new pin               ->  who goes through the list
 *     own        a pin is returned       ->  who takes it next
 *     look       a push moves its pin    ->  a pop that waits for the node
 *     guard      one side writes         ->  the other reads
 *     sleep      a pop says it waits     ->  who moves the pin wakes it
 */
#include "container/heap_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/park.h"
#include "base/sched.h"

static struct weft_heap_pin *
first_pin(weft_heap *h)
{
    /* acquire: add */
    return atomic_load_explicit(&h->pins, memory_order_acquire);
}

static struct weft_heap_pin *
new_pin(weft_heap *h)
{
    struct weft_heap_pin *p =
        aligned_alloc(alignof(struct weft_heap_pin), sizeof(*p));

    if (p == NULL)
        return NULL;
    memset(p, 0, sizeof(*p));
    atomic_init(&p->busy, 1);
    p->next = first_pin(h);
    while (!atomic_compare_exchange_weak_explicit(
        &h->pins, &p->next, p, memory_order_acq_rel, /* acq_rel: add */
        memory_order_relaxed))
        ;
    return p;
}

struct weft_heap_pin *
weft_heap_pin_take_(weft_heap *h)
{
    for (struct weft_heap_pin *p = first_pin(h); p != NULL; p = p->next)
        if (atomic_load_explicit(&p->busy, memory_order_relaxed) == 0 &&
            /* acquire: own */
            atomic_exchange_explicit(&p->busy, 1, memory_order_acquire) == 0)
            return p;
    return new_pin(h);
}

/* Move the pin to `n`, and wake who waits for it to move. */
static void
move(struct weft_heap_pin *p, const struct weft_heap_node *n)
{
    /* seq_cst: guard, look, sleep.  We write where we look, then read whether
     * the node is taken and whether somebody waits; a pop writes those and
     * then reads where we look.  Without a total order both could miss the
     * other: we would compare with an item that is being freed, or it would
     * sleep for ever. */
    atomic_exchange_explicit(&p->at, (uintptr_t)n, memory_order_seq_cst);
    /* seq_cst: sleep */
    if (atomic_load_explicit(&p->waiting, memory_order_seq_cst) != 0) {
        atomic_fetch_add_explicit(&p->turn, 1, memory_order_relaxed);
        weft_park_wake_all_(&p->turn);
    }
}

void
weft_heap_pin_clear_(struct weft_heap_pin *p)
{
    move(p, NULL);
}

void
weft_heap_pin_return_(struct weft_heap_pin *p)
{
    /* release: own */
    atomic_store_explicit(&p->busy, 0, memory_order_release);
}

bool
weft_heap_pin_(struct weft_heap_pin *p, struct weft_heap_node *n)
{
    move(p, n);
    WEFT_SCHED_POINT_("heap.push.pinned");
    /* seq_cst: guard */
    return atomic_load_explicit(&n->taken, memory_order_seq_cst) == 0;
}

static bool
is_at(struct weft_heap_pin *p, const struct weft_heap_node *n)
{
    /* seq_cst: guard, look, sleep */
    return atomic_load_explicit(&p->at, memory_order_seq_cst) == (uintptr_t)n;
}

/* Wait until `p` is not at `n`. */
static void
wait_for(struct weft_heap_pin *p, const struct weft_heap_node *n)
{
    weft_park_spin64_(&p->at, UINT64_MAX, (uintptr_t)n);
    if (!is_at(p, n))
        return;
    /* seq_cst: sleep */
    atomic_fetch_add_explicit(&p->waiting, 1, memory_order_seq_cst);
    for (;;) {
        const uint32_t turn =
            atomic_load_explicit(&p->turn, memory_order_relaxed);
        if (!is_at(p, n))
            break;
        (void)!weft_park_wait_(&p->turn, turn, WEFT_FOREVER);
    }
    atomic_fetch_sub_explicit(&p->waiting, 1, memory_order_relaxed);
}

void
weft_heap_unpin_all_(weft_heap *h, struct weft_heap_node *n)
{
    /* seq_cst: guard */
    atomic_exchange_explicit(&n->taken, 1, memory_order_seq_cst);
    WEFT_SCHED_POINT_("heap.pop.guarded");
    for (struct weft_heap_pin *p = first_pin(h); p != NULL; p = p->next)
        if (is_at(p, n))
            wait_for(p, n);
}

void
weft_heap_pins_free_(weft_heap *h)
{
    struct weft_heap_pin *p = first_pin(h);

    while (p != NULL) {
        struct weft_heap_pin *next = p->next;
        free(p);
        p = next;
    }
}

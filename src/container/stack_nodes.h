/* SPDX-License-Identifier: MIT */
/*
 * container/stack_nodes.h - the nodes of one stack: where they come from and
 * where they go.
 *
 *   shape      slabs, each as big as all before it, that stay until the stack
 *              is destroyed; a free node waits in a stripe, and whole lists
 *              of them wait apart
 *
 * A node stays a node for as long as its stack: who holds the address of one
 * that is long off the stack may still read it, and its swap will fail because
 * the stamp has changed.
 *
 * Ordering.  Nodes change hands by a swap of the pair at the head of a list:
 *
 *     stack.publish   push puts a node on the stack   ->  pop has it
 *     stack.recycle   a free node goes into a list    ->  take has it
 */
#ifndef WEFT_CONTAINER_STACK_NODES_H
#define WEFT_CONTAINER_STACK_NODES_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cacheline.h"
#include "base/pair.h"
#include "base/sched.h"

#define WEFT_NODES_STRIPES 16  /* a power of two */
#define WEFT_NODES_CHAIN   64  /* free nodes that one stripe gathers */
#define WEFT_NODES_FIRST   128 /* of the first slab */

/*
 * On the stack `value` is the item.  In a list of free nodes it is how many
 * there are from this one on; in the first of a list that waits apart it is the
 * first of the next list.
 */
struct weft_node {
    alignas(16) _Atomic(struct weft_node *) next;
    _Atomic(void *) value;
};

struct weft_slab;

/* What the threads of one group share. */
struct weft_stripe {
    alignas(WEFT_CACHE_PAIR) struct weft_pair list;
    _Atomic(struct weft_node *) spare; /* one free node, or NULL */
};

struct weft_nodes {
    _Atomic(struct weft_slab *) slabs; /* the newest; NULL: none yet */
    _Atomic size_t apart_count;        /* nodes in the lists apart */
    alignas(WEFT_CACHE_PAIR) struct weft_pair apart;
    struct weft_stripe stripes[WEFT_NODES_STRIPES];
};

/* Nodes in a row. */
struct weft_chain {
    struct weft_node *first;
    struct weft_node *last;
    size_t count;
};

void weft_nodes_init_(struct weft_nodes *nodes);

/* Free all nodes; nobody uses one. */
void weft_nodes_free_(struct weft_nodes *nodes);

/*
 * Take up to `n` nodes, which is at least 1.
 *
 *   returns    at least one node; a count of 0 if there is no memory
 *   ordering   what was done with a node before it was given happens-before
 */
struct weft_chain weft_nodes_take_(struct weft_nodes *nodes, size_t n);

/* Give back the `c->count` nodes, at least 1, that follow each other. */
void weft_nodes_give_(struct weft_nodes *nodes, const struct weft_chain *c);

/*
 * Try once to take up to `n` nodes, at least 1, off `list` in one step.
 *
 *   returns    false: somebody else was faster.  True: they are in `*c`,
 *              which has a count of 0 if the list was empty
 */
static inline __attribute__((always_inline)) bool
weft_nodes_detach_(struct weft_pair *list, size_t n, struct weft_chain *c)
{
    /* The stamp first: if it is still that when we swap, all that we read
     * after it has stood there together. */
    /* acquire: stack.publish, stack.recycle */
    const uint64_t stamp =
        atomic_load_explicit(&list->stamp, memory_order_acquire);
    /* acquire: stack.publish, stack.recycle */
    struct weft_node *const first =
        atomic_load_explicit(&list->item, memory_order_acquire);
    struct weft_node *next = first;

    *c = (struct weft_chain){first, first, 0};
    while (next != NULL && c->count < n) {
        c->last = next;
        c->count++;
        next = atomic_load_explicit(&next->next, memory_order_relaxed);
    }
    WEFT_SCHED_POINT_("stack.detach.read");
    /* acq_rel: stack.publish, stack.recycle */
    return c->count == 0 || weft_pair_replace_(list, first, stamp, next,
                                               stamp + 1, memory_order_acq_rel);
}

/* Try once to put a chain on `list` in one step; false: others were faster. */
static inline __attribute__((always_inline)) bool
weft_nodes_attach_(struct weft_pair *list, const struct weft_chain *c)
{
    const uint64_t stamp =
        atomic_load_explicit(&list->stamp, memory_order_relaxed);
    void *const first = atomic_load_explicit(&list->item, memory_order_relaxed);

    atomic_store_explicit(&c->last->next, first, memory_order_relaxed);
    WEFT_SCHED_POINT_("stack.attach.linked");
    /* acq_rel: stack.publish, stack.recycle */
    return weft_pair_replace_(list, first, stamp, c->first, stamp + 1,
                              memory_order_acq_rel);
}

/* How many nodes there are that are not free: those on the stack, and those
 * that a call has in hand. */
size_t weft_nodes_used_(const struct weft_nodes *nodes);

#endif /* WEFT_CONTAINER_STACK_NODES_H */

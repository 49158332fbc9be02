/* SPDX-License-Identifier: MIT */
/*
 * container/stack_nodes.c - free nodes in stripes, lists apart and slabs.
 *
 * A thread takes from its stripe and gives back to it.  Threads are spread over
 * the stripes as they come, so a stripe's line mostly stays with one CPU, and
 * changing it is cheap.  The last node that was given waits in the word
 * `spare`, which changes by itself; only more of them need the list and its
 * pair.  A stripe that has gathered WEFT_NODES_CHAIN nodes moves them, as they
 * are, to the lists apart in one step; one that has none takes a list from
 * there.  A thread that only pushes and one that only pops thus meet once in so
 * many calls.
 *
 *     slab --carve--> stripe <--list by list--> apart
 *                     ^    |
 *                give |    v take
 *                      a call
 *
 * When there are neither, nodes are carved off the newest slab, and a new slab
 * is allocated when that has none left; before that the other stripes are
 * asked.  So there are never more nodes than twice what was needed at once, and
 * a few chains.
 *
 * A list counts itself: the value of each free node is how many there are from
 * it on.  How many nodes are not free is then the sum of few words, and pushes
 * and pops need no counter.
 *
 * Every list has a stamp as the stack itself has: stack_lockfree.c says why.
 *
 * Ordering.  The lists' is that of stack_nodes.h; and
 *
 *     stack.publish   push puts a node on the stack   ->  pop has it
 *     stack.recycle   a free node goes into a list    ->  take has it
 *     slab            a slab is made the newest       ->  nodes are carved off
 *
 * The counts carry nothing.
 */
#include "container/stack_nodes.h"

#include <stdint.h>
#include <stdlib.h>

/* Nodes from `carved` on have never been used. */
struct weft_slab {
    struct weft_slab *older;
    size_t room;
    size_t before;         /* room of all older ones */
    _Atomic size_t carved; /* may pass `room` */
    alignas(16) struct weft_node nodes[];
};

/* Threads in the order of their first calls. */
static _Atomic unsigned threads;
static __thread unsigned my_number
    __attribute__((tls_model("initial-exec"))); /* 0: none yet */

static struct weft_stripe *
my_stripe(struct weft_nodes *nodes)
{
    if (my_number == 0)
        my_number =
            atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) * 2 +
            1;
    return &nodes->stripes[my_number / 2 % WEFT_NODES_STRIPES];
}

static void
init_list(struct weft_pair *list)
{
    atomic_init(&list->item, NULL);
    atomic_init(&list->stamp, 0);
}

void
weft_nodes_init_(struct weft_nodes *nodes)
{
    atomic_init(&nodes->slabs, NULL);
    atomic_init(&nodes->apart_count, 0);
    init_list(&nodes->apart);
    for (size_t i = 0; i < WEFT_NODES_STRIPES; i++) {
        init_list(&nodes->stripes[i].list);
        atomic_init(&nodes->stripes[i].spare, NULL);
    }
}

void
weft_nodes_free_(struct weft_nodes *nodes)
{
    struct weft_slab *slab =
        atomic_load_explicit(&nodes->slabs, memory_order_relaxed);

    while (slab != NULL) {
        struct weft_slab *older = slab->older;
        free(slab);
        slab = older;
    }
}

/* How many nodes there are from `node` on, in a list of free ones; a guess if
 * it has left the list. */
static size_t
count_from(struct weft_node *node)
{
    if (node == NULL)
        return 0;
    return (uintptr_t)atomic_load_explicit(&node->value, memory_order_relaxed);
}

static void
set_value(struct weft_node *node, void *value)
{
    atomic_store_explicit(&node->value, value, memory_order_relaxed);
}

/* Count the nodes of a chain, which lies on `below` others. */
static void
count_chain(const struct weft_chain *c, size_t below)
{
    struct weft_node *node = c->first;

    for (size_t i = c->count; i > 0; i--) {
        set_value(node, (void *)(uintptr_t)(below + i));
        node = atomic_load_explicit(&node->next, memory_order_relaxed);
    }
}

/* --- apart: a list of lists, linked by the values of their firsts --------- */

static void
put_apart(struct weft_nodes *nodes, struct weft_node *first)
{
    struct weft_pair *list = &nodes->apart;

    atomic_fetch_add_explicit(&nodes->apart_count, count_from(first),
                              memory_order_relaxed);
    for (;;) {
        const uint64_t stamp =
            atomic_load_explicit(&list->stamp, memory_order_relaxed);
        void *const next =
            atomic_load_explicit(&list->item, memory_order_relaxed);
        set_value(first, next);
        WEFT_SCHED_POINT_("stack.apart.linked");
        /* acq_rel: stack.recycle */
        if (weft_pair_replace_(list, next, stamp, first, stamp + 1,
                               memory_order_acq_rel))
            return;
    }
}

/* A list, or NULL; the value of its first node is not its count. */
static struct weft_node *
take_apart(struct weft_nodes *nodes)
{
    struct weft_pair *list = &nodes->apart;

    for (;;) {
        /* acquire: stack.recycle */
        const uint64_t stamp =
            atomic_load_explicit(&list->stamp, memory_order_acquire);
        /* acquire: stack.recycle */
        struct weft_node *const first =
            atomic_load_explicit(&list->item, memory_order_acquire);
        if (first == NULL)
            return NULL;
        void *const next =
            atomic_load_explicit(&first->value, memory_order_relaxed);
        WEFT_SCHED_POINT_("stack.apart.read");
        /* acq_rel: stack.recycle */
        if (!weft_pair_replace_(list, first, stamp, next, stamp + 1,
                                memory_order_acq_rel))
            continue;
        const size_t others = count_from(
            atomic_load_explicit(&first->next, memory_order_relaxed));
        atomic_fetch_sub_explicit(&nodes->apart_count, 1 + others,
                                  memory_order_relaxed);
        return first;
    }
}

/* Free nodes in a list of their own, counted: to the stripe if that has none,
 * else apart. */
static void
put_list(struct weft_nodes *nodes, struct weft_pair *stripe,
         struct weft_node *first)
{
    if (first == NULL)
        return;
    const uint64_t stamp =
        atomic_load_explicit(&stripe->stamp, memory_order_relaxed);
    /* acq_rel: stack.recycle */
    if (!weft_pair_replace_(stripe, NULL, stamp, first, stamp + 1,
                            memory_order_acq_rel))
        put_apart(nodes, first);
}

/* --- giving --------------------------------------------------------------- */

/* False if the stripe has a spare node already. */
static bool
put_spare(struct weft_stripe *stripe, struct weft_node *node)
{
    struct weft_node *none = NULL;

    if (atomic_load_explicit(&stripe->spare, memory_order_relaxed) != NULL)
        return false;
    /* release: stack.recycle */
    return atomic_compare_exchange_strong_explicit(&stripe->spare, &none, node,
                                                   memory_order_release,
                                                   memory_order_relaxed);
}

void
weft_nodes_give_(struct weft_nodes *nodes, const struct weft_chain *c)
{
    struct weft_stripe *stripe = my_stripe(nodes);
    struct weft_pair *list = &stripe->list;

    if (c->count == 1 && put_spare(stripe, c->first))
        return;
    for (;;) {
        /* acquire: stack.recycle */
        const uint64_t stamp =
            atomic_load_explicit(&list->stamp, memory_order_acquire);
        /* acquire: stack.recycle */
        struct weft_node *const first =
            atomic_load_explicit(&list->item, memory_order_acquire);
        const size_t count = count_from(first);
        /* Enough: these begin a new list, and the old one goes. */
        const bool full = count >= WEFT_NODES_CHAIN;
        count_chain(c, full ? 0 : count);
        atomic_store_explicit(&c->last->next, full ? NULL : first,
                              memory_order_relaxed);
        WEFT_SCHED_POINT_("stack.give.linked");
        /* acq_rel: stack.recycle */
        if (!weft_pair_replace_(list, first, stamp, c->first, stamp + 1,
                                memory_order_acq_rel))
            continue;
        if (full)
            put_apart(nodes, first);
        return;
    }
}

/* --- taking --------------------------------------------------------------- */

/* Keep up to `n` nodes from `first` on; the rest goes to the stripe. */
static struct weft_chain
cut(struct weft_nodes *nodes, struct weft_pair *stripe, struct weft_node *first,
    size_t n)
{
    struct weft_chain c = {first, first, 1};
    struct weft_node *next =
        atomic_load_explicit(&first->next, memory_order_relaxed);

    while (next != NULL && c.count < n) {
        c.last = next;
        c.count++;
        next = atomic_load_explicit(&next->next, memory_order_relaxed);
    }
    put_list(nodes, stripe, next);
    return c;
}

/* Carve a list off a slab; NULL if it has no more. */
static struct weft_node *
carve(struct weft_slab *slab)
{
    if (slab == NULL ||
        atomic_load_explicit(&slab->carved, memory_order_relaxed) >= slab->room)
        return NULL;
    const size_t begin = atomic_fetch_add_explicit(
        &slab->carved, WEFT_NODES_CHAIN, memory_order_relaxed);
    if (begin >= slab->room)
        return NULL;
    struct weft_node *node = &slab->nodes[begin];
    for (size_t i = 0; i < WEFT_NODES_CHAIN; i++) {
        const bool last = i + 1 == WEFT_NODES_CHAIN;
        atomic_init(&node[i].next, last ? NULL : &node[i + 1]);
        atomic_init(&node[i].value, (void *)(WEFT_NODES_CHAIN - i));
    }
    return node;
}

/* Make a slab as big as all before it the newest, unless `newest` is not the
 * newest any more; false if there is no memory. */
static bool
add_slab(struct weft_nodes *nodes, struct weft_slab *newest)
{
    const size_t before = newest == NULL ? 0 : newest->before + newest->room;
    const size_t room = before > 0 ? before : WEFT_NODES_FIRST;

    if (room > PTRDIFF_MAX / sizeof(struct weft_node) / 2)
        return false;
    struct weft_slab *slab =
        aligned_alloc(alignof(struct weft_slab),
                      sizeof(*slab) + room * sizeof(struct weft_node));
    if (slab == NULL)
        return false;
    slab->older = newest;
    slab->room = room;
    slab->before = before;
    atomic_init(&slab->carved, 0);
    WEFT_SCHED_POINT_("stack.slab.made");
    /* release: slab */
    if (!atomic_compare_exchange_strong_explicit(&nodes->slabs, &newest, slab,
                                                 memory_order_release,
                                                 memory_order_relaxed))
        free(slab);
    return true;
}

static struct weft_node *
take_spare(struct weft_stripe *stripe)
{
    if (atomic_load_explicit(&stripe->spare, memory_order_relaxed) == NULL)
        return NULL;
    /* acquire: stack.recycle */
    return atomic_exchange_explicit(&stripe->spare, NULL, memory_order_acquire);
}

/* All that another stripe has in one place, or NULL. */
static struct weft_node *
take_from_others(struct weft_nodes *nodes)
{
    for (size_t i = 0; i < WEFT_NODES_STRIPES; i++) {
        struct weft_pair *list = &nodes->stripes[i].list;
        struct weft_node *spare = take_spare(&nodes->stripes[i]);
        if (spare != NULL) {
            atomic_store_explicit(&spare->next, NULL, memory_order_relaxed);
            return spare;
        }
        /* acquire: stack.recycle */
        const uint64_t stamp =
            atomic_load_explicit(&list->stamp, memory_order_acquire);
        /* acquire: stack.recycle */
        struct weft_node *const first =
            atomic_load_explicit(&list->item, memory_order_acquire);
        /* acq_rel: stack.recycle */
        if (first != NULL &&
            weft_pair_replace_(list, first, stamp, NULL, stamp + 1,
                               memory_order_acq_rel))
            return first;
    }
    return NULL;
}

static __attribute__((noinline)) struct weft_chain
refill(struct weft_nodes *nodes, size_t n)
{
    for (;;) {
        struct weft_node *first = take_apart(nodes);
        /* acquire: slab */
        struct weft_slab *newest =
            atomic_load_explicit(&nodes->slabs, memory_order_acquire);
        if (first == NULL)
            first = carve(newest);
        if (first == NULL)
            first = take_from_others(nodes);
        if (first != NULL)
            return cut(nodes, &my_stripe(nodes)->list, first, n);
        if (!add_slab(nodes, newest))
            return (struct weft_chain){NULL, NULL, 0};
    }
}

struct weft_chain
weft_nodes_take_(struct weft_nodes *nodes, size_t n)
{
    struct weft_stripe *stripe = my_stripe(nodes);
    struct weft_node *spare = n == 1 ? take_spare(stripe) : NULL;
    struct weft_chain c = {spare, spare, 1};

    if (spare != NULL)
        return c;
    while (!weft_nodes_detach_(&stripe->list, n, &c))
        continue;
    return c.count > 0 ? c : refill(nodes, n);
}

size_t
weft_nodes_used_(const struct weft_nodes *nodes)
{
    /* acquire: slab */
    const struct weft_slab *slab =
        atomic_load_explicit(&nodes->slabs, memory_order_acquire);

    if (slab == NULL)
        return 0;
    const size_t carved =
        atomic_load_explicit(&slab->carved, memory_order_relaxed);
    const size_t all =
        slab->before + (carved < slab->room ? carved : slab->room);
    size_t idle =
        atomic_load_explicit(&nodes->apart_count, memory_order_relaxed);
    for (size_t i = 0; i < WEFT_NODES_STRIPES; i++) {
        /* acquire: stack.recycle */
        struct weft_node *first = atomic_load_explicit(
            &nodes->stripes[i].list.item, memory_order_acquire);
        idle += count_from(first);
        idle += atomic_load_explicit(&nodes->stripes[i].spare,
                                     memory_order_relaxed) != NULL;
    }
    /* Not one snapshot; clamp what no moment ever held. */
    return idle < all ? all - idle : 0;
}

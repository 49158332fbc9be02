/* SPDX-License-Identifier: MIT */
/*
 * container/stack_lockfree.c - Treiber's stack with a stamp.
 *
 * The stack is a list of nodes; `top` is a pair of its first node and a stamp
 * that grows with every change.  A push and a pop are each one swap of the
 * pair, and that is the moment at which they take effect.
 *
 * Reuse.  A pop reads the node on top and what lies under it, and then swaps.
 * If it was stopped in between, that node may have left the stack and come
 * back with another below it: with the address alone the swap would then
 * succeed and bring back a node that is long gone (the ABA problem).  The stamp
 * is another one by then.  It has 64 bits: at 10^9 calls a second it comes
 * round after 584 years; and nothing but equality is asked of it, so even that
 * hurts only a call that has been stopped for exactly as long.
 *
 * Reading a node that has left the stack is allowed, since it stays a node
 * (stack_nodes.h).  What is read then is not used: the swap fails.
 *
 * A node that a call has in hand, just taken from the free ones or just off the
 * stack, is missed by nobody: a thread that is stopped then costs one node.
 *
 * After a lost swap somebody else has changed the stack, so the stack as a
 * whole goes on; the loser steps back for a bounded time.
 *
 * Ordering.  Carried by the swaps of stack_nodes.h:
 *
 *     stack.publish   push puts a node on the stack   ->  pop has it
 *     stack.recycle   a free node goes into a list    ->  take has it
 */
#include "container/stack_impl.h"

#include "base/backoff.h"
#include "base/sched.h"

/* Put `n` values into the nodes of `c` from `next` on: the last is the first
 * node's.  Nobody else sees them yet. */
static void
fill(struct weft_node *node, void *const *items, size_t n)
{
    while (n > 0) {
        atomic_store_explicit(&node->value, items[--n], memory_order_relaxed);
        node = atomic_load_explicit(&node->next, memory_order_relaxed);
    }
}

static void
push_chain(weft_stack *s, const struct weft_chain *c)
{
    unsigned pauses = WEFT_BACKOFF_FIRST;

    while (!weft_nodes_attach_(&s->top, c))
        pauses = weft_backoff_(pauses);
}

enum weft_status
weft_stack_push_lockfree_(weft_stack *s, void *item)
{
    const struct weft_chain c = weft_nodes_take_(&s->nodes, 1);

    if (c.count == 0)
        return WEFT_NO_MEMORY;
    atomic_store_explicit(&c.first->value, item, memory_order_relaxed);
    push_chain(s, &c);
    return WEFT_OK;
}

/* Take up to `n` nodes off the stack. */
static struct weft_chain
pop_chain(weft_stack *s, size_t n)
{
    unsigned pauses = WEFT_BACKOFF_FIRST;
    struct weft_chain c;

    while (!weft_nodes_detach_(&s->top, n, &c))
        pauses = weft_backoff_(pauses);
    return c;
}

enum weft_status
weft_stack_pop_lockfree_(weft_stack *s, void **item)
{
    const struct weft_chain c = pop_chain(s, 1);

    if (c.count == 0)
        return WEFT_EMPTY;
    *item = atomic_load_explicit(&c.first->value, memory_order_relaxed);
    WEFT_SCHED_POINT_("stack.pop.in_hand");
    weft_nodes_give_(&s->nodes, &c);
    return WEFT_OK;
}

size_t
weft_stack_push_n_lockfree_(weft_stack *s, void *const *items, size_t n)
{
    if (n == 0)
        return 0;
    struct weft_chain all = weft_nodes_take_(&s->nodes, n);
    if (all.count == 0)
        return 0;
    while (all.count < n) {
        const struct weft_chain more =
            weft_nodes_take_(&s->nodes, n - all.count);
        if (more.count == 0) {
            weft_nodes_give_(&s->nodes, &all);
            return 0;
        }
        atomic_store_explicit(&more.last->next, all.first,
                              memory_order_relaxed);
        all.first = more.first;
        all.count += more.count;
    }
    fill(all.first, items, n);
    push_chain(s, &all);
    return n;
}

size_t
weft_stack_pop_n_lockfree_(weft_stack *s, void **items, size_t n)
{
    if (n == 0)
        return 0;
    const struct weft_chain c = pop_chain(s, n);
    if (c.count == 0)
        return 0;
    struct weft_node *node = c.first;
    for (size_t i = 0; i < c.count; i++) {
        items[i] = atomic_load_explicit(&node->value, memory_order_relaxed);
        node = atomic_load_explicit(&node->next, memory_order_relaxed);
    }
    weft_nodes_give_(&s->nodes, &c);
    return c.count;
}

size_t
weft_stack_size_lockfree_(const weft_stack *s)
{
    return weft_nodes_used_(&s->nodes);
}

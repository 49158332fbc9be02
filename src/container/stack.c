/* SPDX-License-Identifier: MIT */
/*
 * container/stack.c - makes and frees stacks, and picks the form of each call.
 *
 * The forms are stack_lockfree.c, which is WEFT_LOCKLESS too, and
 * stack_mutex.c; what they share is stack_impl.h.
 *
 * Ordering.  None: a new stack is not shared yet.
 */
#include "container/stack_impl.h"

#include <stdlib.h>

enum weft_status
weft_stack_create(weft_stack **out, enum weft_impl impl)
{
    if (out == NULL || (unsigned)impl > WEFT_MUTEX)
        return WEFT_INVALID;

    weft_stack *s = aligned_alloc(alignof(weft_stack), sizeof(*s));
    if (s == NULL)
        return WEFT_NO_MEMORY;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return WEFT_NO_MEMORY;
    }
    s->impl = impl;
    s->items = NULL;
    s->room = 0;
    atomic_init(&s->count, 0);
    atomic_init(&s->top.item, NULL);
    atomic_init(&s->top.stamp, 0);
    weft_nodes_init_(&s->nodes);
    *out = s;
    return WEFT_OK;
}

void
weft_stack_destroy_with(weft_stack *s, void (*drop)(void *item, void *ctx),
                        void *ctx)
{
    if (s == NULL)
        return;
    void *item;
    while (drop != NULL && weft_stack_pop(s, &item) == WEFT_OK)
        drop(item, ctx);
    weft_nodes_free_(&s->nodes);
    pthread_mutex_destroy(&s->lock);
    free(s->items);
    free(s);
}

void
weft_stack_destroy(weft_stack *s)
{
    weft_stack_destroy_with(s, NULL, NULL);
}

enum weft_status
weft_stack_push(weft_stack *s, void *item)
{
    if (s->impl != WEFT_MUTEX)
        return weft_stack_push_lockfree_(s, item);
    return weft_stack_push_n_mutex_(s, &item, 1) == 1 ? WEFT_OK
                                                      : WEFT_NO_MEMORY;
}

enum weft_status
weft_stack_pop(weft_stack *s, void **item)
{
    if (s->impl != WEFT_MUTEX)
        return weft_stack_pop_lockfree_(s, item);
    return weft_stack_pop_n_mutex_(s, item, 1) == 1 ? WEFT_OK : WEFT_EMPTY;
}

size_t
weft_stack_push_n(weft_stack *s, void *const *items, size_t n)
{
    return s->impl != WEFT_MUTEX ? weft_stack_push_n_lockfree_(s, items, n)
                                 : weft_stack_push_n_mutex_(s, items, n);
}

size_t
weft_stack_pop_n(weft_stack *s, void **items, size_t n)
{
    return s->impl != WEFT_MUTEX ? weft_stack_pop_n_lockfree_(s, items, n)
                                 : weft_stack_pop_n_mutex_(s, items, n);
}

size_t
weft_stack_size(const weft_stack *s)
{
    return s->impl != WEFT_MUTEX ? weft_stack_size_lockfree_(s)
                                 : weft_stack_size_mutex_(s);
}

/* SPDX-License-Identifier: MIT */
/*
 * container/stack_impl.h - what the forms of the stack share.
 */
#ifndef WEFT_CONTAINER_STACK_IMPL_H
#define WEFT_CONTAINER_STACK_IMPL_H

#include <weft/stack.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/cacheline.h"
#include "base/pair.h"
#include "container/stack_nodes.h"

struct weft_stack {
    enum weft_impl impl; /* constant */

    /* WEFT_MUTEX only. */
    void **items;
    size_t room;
    _Atomic size_t count; /* changed under the lock */
    pthread_mutex_t lock;

    /* The other forms: the node on top, and how often that has changed. */
    alignas(WEFT_CACHE_PAIR) struct weft_pair top;
    struct weft_nodes nodes;
};

/* The variants; each as the public call without the suffix. */
enum weft_status weft_stack_push_lockfree_(weft_stack *s, void *item);
enum weft_status weft_stack_pop_lockfree_(weft_stack *s, void **item);
size_t weft_stack_push_n_lockfree_(weft_stack *s, void *const *items, size_t n);
size_t weft_stack_pop_n_lockfree_(weft_stack *s, void **items, size_t n);
size_t weft_stack_size_lockfree_(const weft_stack *s);

size_t weft_stack_push_n_mutex_(weft_stack *s, void *const *items, size_t n);
size_t weft_stack_pop_n_mutex_(weft_stack *s, void **items, size_t n);
size_t weft_stack_size_mutex_(const weft_stack *s);

#endif /* WEFT_CONTAINER_STACK_IMPL_H */

/* SPDX-License-Identifier: MIT */
/*
 * container/heap.c - makes and frees heaps, and picks the form of each call.
 *
 * Ordering.  None: a new heap is not shared yet.
 */
#include "container/heap_impl.h"

#include <stdlib.h>
#include <string.h>

static enum weft_status
create(weft_heap **out, const weft_heap *constants)
{
    if (out == NULL || (unsigned)constants->impl > WEFT_MUTEX)
        return WEFT_INVALID;
    weft_heap *h = aligned_alloc(alignof(weft_heap), sizeof(*h));
    if (h == NULL)
        return WEFT_NO_MEMORY;
    memset(h, 0, sizeof(*h));
    h->impl = constants->impl;
    h->compare = constants->compare;
    h->key = constants->key;
    h->ctx = constants->ctx;

    const enum weft_status s = h->impl == WEFT_MUTEX
                                   ? weft_heap_open_mutex_(h)
                                   : weft_heap_open_lockfree_(h);
    if (s != WEFT_OK) {
        free(h);
        return s;
    }
    *out = h;
    return WEFT_OK;
}

enum weft_status
weft_heap_create(weft_heap **out, weft_compare *compare, void *ctx,
                 enum weft_impl impl)
{
    if (compare == NULL)
        return WEFT_INVALID;
    return create(out,
                  &(weft_heap){.impl = impl, .compare = compare, .ctx = ctx});
}

enum weft_status
weft_heap_create_keyed(weft_heap **out,
                       int64_t (*key)(const void *item, void *ctx), void *ctx,
                       enum weft_impl impl)
{
    if (key == NULL)
        return WEFT_INVALID;
    return create(out, &(weft_heap){.impl = impl, .key = key, .ctx = ctx});
}

void
weft_heap_destroy(weft_heap *h)
{
    weft_heap_destroy_with(h, NULL, NULL);
}

void
weft_heap_destroy_with(weft_heap *h, void (*drop)(void *item, void *ctx),
                       void *ctx)
{
    void *item;

    if (h == NULL)
        return;
    while (drop != NULL && weft_heap_pop(h, &item) == WEFT_OK)
        drop(item, ctx);
    if (h->impl == WEFT_MUTEX)
        weft_heap_close_mutex_(h);
    else
        weft_heap_close_lockfree_(h);
    free(h);
}

enum weft_status
weft_heap_push(weft_heap *h, void *item)
{
    return weft_heap_push_n(h, &item, 1) == 1 ? WEFT_OK : WEFT_NO_MEMORY;
}

enum weft_status
weft_heap_pop(weft_heap *h, void **item)
{
    return weft_heap_pop_n(h, item, 1) == 1 ? WEFT_OK : WEFT_EMPTY;
}

size_t
weft_heap_push_n(weft_heap *h, void *const *items, size_t n)
{
    return h->impl == WEFT_MUTEX ? weft_heap_push_n_mutex_(h, items, n)
                                 : weft_heap_push_n_lockfree_(h, items, n);
}

size_t
weft_heap_pop_n(weft_heap *h, void **items, size_t n)
{
    return h->impl == WEFT_MUTEX ? weft_heap_pop_n_mutex_(h, items, n)
                                 : weft_heap_pop_n_lockfree_(h, items, n);
}

size_t
weft_heap_size(const weft_heap *h)
{
    return h->impl == WEFT_MUTEX ? weft_heap_size_mutex_(h)
                                 : weft_heap_size_lockfree_(h);
}

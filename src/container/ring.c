/* SPDX-License-Identifier: MIT */
/*
 * container/ring.c - makes and frees rings, and picks the form of each call.
 *
 * The three forms are ring_lockfree.c, ring_lockless.c and ring_mutex.c; what
 * they share is ring_impl.h.
 *
 * A ring and its cells are one allocation, of zero bytes: that is a valid
 * initial state of all of it but the constants and the lock, and the pages of
 * a big ring are not touched until an item comes there.
 *
 * Ordering.  None: a new ring is not shared yet.
 */
#include "container/ring_impl.h"

#include <stdlib.h>

/* Bytes of one item of the form `impl`. */
static size_t
item_bytes(enum weft_impl impl)
{
    return impl == WEFT_MUTEX ? sizeof(void *) : sizeof(struct weft_pair);
}

static uint64_t
one_lap_of(size_t capacity)
{
    uint64_t lap = 4; /* bits 0 and 1 of a stamp are not the lap's */

    while (lap < capacity)
        lap *= 2;
    return lap;
}

enum weft_status
weft_ring_create(weft_ring **out, size_t capacity, enum weft_impl impl)
{
    if (out == NULL || capacity == 0 || (unsigned)impl > WEFT_MUTEX)
        return WEFT_INVALID;
    size_t fixed = sizeof(weft_ring) + alignof(weft_ring);
    if (capacity > (PTRDIFF_MAX - fixed) / item_bytes(impl))
        return WEFT_NO_MEMORY;

    /* Not aligned_alloc, which would leave the zeroing to us. */
    char *memory = calloc(1, fixed + capacity * item_bytes(impl));
    if (memory == NULL)
        return WEFT_NO_MEMORY;
    weft_ring *r = (void *)(memory + (-(uintptr_t)memory) % alignof(weft_ring));

    if (pthread_mutex_init(&r->lock, NULL) != 0) {
        free(memory);
        return WEFT_NO_MEMORY;
    }
    r->impl = impl;
    r->capacity = capacity;
    r->one_lap = one_lap_of(capacity);
    if (impl == WEFT_MUTEX)
        r->items = (void *)(r + 1);
    else
        r->cells = (void *)(r + 1);
    r->memory = memory;

    *out = r;
    return WEFT_OK;
}

void
weft_ring_destroy(weft_ring *r)
{
    weft_ring_destroy_with(r, NULL, NULL);
}

void
weft_ring_destroy_with(weft_ring *r, void (*drop)(void *item, void *ctx),
                       void *ctx)
{
    void *item;

    if (r == NULL)
        return;
    while (drop != NULL && weft_ring_pop(r, &item) == WEFT_OK)
        drop(item, ctx);
    pthread_mutex_destroy(&r->lock);
    free(r->memory);
}

enum weft_status
weft_ring_push(weft_ring *r, void *item)
{
    switch (r->impl) {
    case WEFT_LOCKFREE:
        return weft_ring_push_lockfree_(r, item);
    case WEFT_LOCKLESS:
        return weft_ring_push_lockless_(r, item);
    case WEFT_MUTEX:
        break;
    }
    return weft_ring_push_mutex_(r, item);
}

enum weft_status
weft_ring_pop(weft_ring *r, void **item)
{
    switch (r->impl) {
    case WEFT_LOCKFREE:
        return weft_ring_pop_lockfree_(r, item);
    case WEFT_LOCKLESS:
        return weft_ring_pop_lockless_(r, item);
    case WEFT_MUTEX:
        break;
    }
    return weft_ring_pop_mutex_(r, item);
}

size_t
weft_ring_push_n(weft_ring *r, void *const *items, size_t n)
{
    switch (r->impl) {
    case WEFT_LOCKFREE:
        return weft_ring_push_n_lockfree_(r, items, n);
    case WEFT_LOCKLESS:
        return weft_ring_push_n_lockless_(r, items, n);
    case WEFT_MUTEX:
        break;
    }
    return weft_ring_push_n_mutex_(r, items, n);
}

size_t
weft_ring_pop_n(weft_ring *r, void **items, size_t n)
{
    switch (r->impl) {
    case WEFT_LOCKFREE:
        return weft_ring_pop_n_lockfree_(r, items, n);
    case WEFT_LOCKLESS:
        return weft_ring_pop_n_lockless_(r, items, n);
    case WEFT_MUTEX:
        break;
    }
    return weft_ring_pop_n_mutex_(r, items, n);
}

size_t
weft_ring_distance_(const weft_ring *r, uint64_t p, uint64_t q)
{
    /* The two were not read in one step; clamp what no moment ever held. */
    if (q <= p)
        return 0;
    if (q >= weft_ring_advance_(r, p, r->capacity))
        return r->capacity;
    if (weft_ring_lap_(r, p) == weft_ring_lap_(r, q))
        return (size_t)(q - p);
    return (size_t)(weft_ring_index_(r, q) + r->capacity -
                    weft_ring_index_(r, p));
}

size_t
weft_ring_size(const weft_ring *r)
{
    switch (r->impl) {
    case WEFT_LOCKFREE:
        return weft_ring_size_lockfree_(r);
    case WEFT_LOCKLESS:
        return weft_ring_size_lockless_(r);
    case WEFT_MUTEX:
        break;
    }
    return weft_ring_size_mutex_(r);
}

size_t
weft_ring_capacity(const weft_ring *r)
{
    return r->capacity;
}

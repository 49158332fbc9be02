/* SPDX-License-Identifier: MIT */
/*
 * container/fifo.c - makes and frees fifos, and picks the form of each call.
 *
 * The forms are fifo_lockfree.c, fifo_lockless.c and fifo_mutex.c; what they
 * share is fifo_impl.h and segments.h.
 *
 * Ordering.  None: a new fifo is not shared yet, and one that is destroyed not
 * any more.
 */
#include "container/fifo_impl.h"

#include <stdlib.h>
#include <string.h>

struct weft_fifo_start weft_fifo_start_ = {1, WEFT_SEGMENT_CELLS};

static bool
init(weft_fifo *f)
{
    if (f->impl == WEFT_MUTEX)
        return weft_fifo_init_mutex_(f);
    f->first_life = weft_fifo_start_.first_life;
    f->cells = weft_fifo_start_.cells;
    return weft_segments_init_(&f->list, f->first_life);
}

enum weft_status
weft_fifo_create(weft_fifo **out, enum weft_impl impl)
{
    if (out == NULL || (unsigned)impl > WEFT_MUTEX)
        return WEFT_INVALID;
    weft_fifo *f = aligned_alloc(alignof(weft_fifo), sizeof(*f));
    if (f == NULL)
        return WEFT_NO_MEMORY;

    memset(f, 0, sizeof(*f));
    f->impl = impl;
    if (!init(f)) {
        free(f);
        return WEFT_NO_MEMORY;
    }
    *out = f;
    return WEFT_OK;
}

void
weft_fifo_destroy_with(weft_fifo *f, void (*drop)(void *item, void *ctx),
                       void *ctx)
{
    void *item;

    if (f == NULL)
        return;
    while (drop != NULL && weft_fifo_pop(f, &item) == WEFT_OK)
        drop(item, ctx);
    if (f->impl == WEFT_MUTEX)
        weft_fifo_fini_mutex_(f);
    else
        weft_segments_fini_(&f->list);
    free(f);
}

void
weft_fifo_destroy(weft_fifo *f)
{
    weft_fifo_destroy_with(f, NULL, NULL);
}

enum weft_status
weft_fifo_push(weft_fifo *f, void *item)
{
    switch (f->impl) {
    case WEFT_LOCKFREE:
        return weft_fifo_push_lockfree_(f, item);
    case WEFT_LOCKLESS:
        return weft_fifo_push_lockless_(f, item);
    case WEFT_MUTEX:
        break;
    }
    return weft_fifo_push_mutex_(f, item);
}

enum weft_status
weft_fifo_pop(weft_fifo *f, void **item)
{
    switch (f->impl) {
    case WEFT_LOCKFREE:
        return weft_fifo_pop_lockfree_(f, item);
    case WEFT_LOCKLESS:
        return weft_fifo_pop_lockless_(f, item);
    case WEFT_MUTEX:
        break;
    }
    return weft_fifo_pop_mutex_(f, item);
}

size_t
weft_fifo_push_n(weft_fifo *f, void *const *items, size_t n)
{
    switch (f->impl) {
    case WEFT_LOCKFREE:
        return weft_fifo_push_n_lockfree_(f, items, n);
    case WEFT_LOCKLESS:
        return weft_fifo_push_n_lockless_(f, items, n);
    case WEFT_MUTEX:
        break;
    }
    return weft_fifo_push_n_mutex_(f, items, n);
}

size_t
weft_fifo_pop_n(weft_fifo *f, void **items, size_t n)
{
    switch (f->impl) {
    case WEFT_LOCKFREE:
        return weft_fifo_pop_n_lockfree_(f, items, n);
    case WEFT_LOCKLESS:
        return weft_fifo_pop_n_lockless_(f, items, n);
    case WEFT_MUTEX:
        break;
    }
    return weft_fifo_pop_n_mutex_(f, items, n);
}

uint64_t
weft_fifo_pushed_(const weft_fifo *f)
{
    switch (f->impl) {
    case WEFT_LOCKFREE:
        return weft_fifo_pushed_lockfree_(f);
    case WEFT_LOCKLESS:
        return weft_fifo_pushed_lockless_(f);
    case WEFT_MUTEX:
        break;
    }
    return weft_fifo_pushed_mutex_(f);
}

static uint64_t
popped(const weft_fifo *f)
{
    switch (f->impl) {
    case WEFT_LOCKFREE:
        return weft_fifo_popped_lockfree_(f);
    case WEFT_LOCKLESS:
        return weft_fifo_popped_lockless_(f);
    case WEFT_MUTEX:
        break;
    }
    return weft_fifo_popped_mutex_(f);
}

size_t
weft_fifo_size(const weft_fifo *f)
{
    /* In this order, so that it counts no item that was not pushed yet. */
    uint64_t out = popped(f);
    uint64_t in = weft_fifo_pushed_(f);

    return in > out ? (size_t)(in - out) : 0;
}

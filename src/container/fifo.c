/* SPDX-License-Identifier: MIT */
/*
 * container/fifo.c - makes and frees fifos, and picks the form of each call.
 *
 * What the forms share is fifo_impl.h.
 *
 * Ordering.  None: a new fifo is not shared yet, and one that is destroyed not
 * any more.
 */
#include "container/fifo_impl.h"

#include <stdlib.h>
#include <string.h>

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
    if (!weft_fifo_init_mutex_(f)) {
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
    weft_fifo_fini_mutex_(f);
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
    return weft_fifo_push_mutex_(f, item);
}

enum weft_status
weft_fifo_pop(weft_fifo *f, void **item)
{
    return weft_fifo_pop_mutex_(f, item);
}

size_t
weft_fifo_push_n(weft_fifo *f, void *const *items, size_t n)
{
    return weft_fifo_push_n_mutex_(f, items, n);
}

size_t
weft_fifo_pop_n(weft_fifo *f, void **items, size_t n)
{
    return weft_fifo_pop_n_mutex_(f, items, n);
}

uint64_t
weft_fifo_pushed_(const weft_fifo *f)
{
    return weft_fifo_pushed_mutex_(f);
}

size_t
weft_fifo_size(const weft_fifo *f)
{
    /* In this order, so that the difference cannot be negative. */
    uint64_t popped = weft_fifo_popped_mutex_(f);
    uint64_t pushed = weft_fifo_pushed_mutex_(f);

    return pushed > popped ? (size_t)(pushed - popped) : 0;
}

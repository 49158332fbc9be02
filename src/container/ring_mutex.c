/* SPDX-License-Identifier: MIT */
/*
 * container/ring_mutex.c - the form with one lock: what the others must do.
 *
 * The oldest item is items[first]; the `count` items from there on, going
 * round, are those of the ring.  Both change only under the lock.
 *
 * Ordering.  The lock carries everything; `count` is atomic only because
 * weft_ring_size reads it without.
 */
#include "container/ring_impl.h"

static size_t
count_of(const weft_ring *r)
{
    return atomic_load_explicit(&r->count, memory_order_relaxed);
}

static void
set_count(weft_ring *r, size_t count)
{
    atomic_store_explicit(&r->count, count, memory_order_relaxed);
}

/* The index `k` items after that of the oldest; `k` is at most the capacity. */
static size_t
index_after(const weft_ring *r, size_t k)
{
    size_t room = r->capacity - r->first;

    return k < room ? r->first + k : k - room;
}

size_t
weft_ring_push_n_mutex_(weft_ring *r, void *const *items, size_t n)
{
    pthread_mutex_lock(&r->lock);
    size_t count = count_of(r);
    size_t room = r->capacity - count;
    size_t fit = n < room ? n : room;
    for (size_t i = 0; i < fit; i++)
        r->items[index_after(r, count + i)] = items[i];
    set_count(r, count + fit);
    pthread_mutex_unlock(&r->lock);
    return fit;
}

size_t
weft_ring_pop_n_mutex_(weft_ring *r, void **items, size_t n)
{
    pthread_mutex_lock(&r->lock);
    size_t count = count_of(r);
    size_t some = n < count ? n : count;
    for (size_t i = 0; i < some; i++)
        items[i] = r->items[index_after(r, i)];
    r->first = index_after(r, some);
    set_count(r, count - some);
    pthread_mutex_unlock(&r->lock);
    return some;
}

enum weft_status
weft_ring_push_mutex_(weft_ring *r, void *item)
{
    return weft_ring_push_n_mutex_(r, &item, 1) == 1 ? WEFT_OK : WEFT_FULL;
}

enum weft_status
weft_ring_pop_mutex_(weft_ring *r, void **item)
{
    return weft_ring_pop_n_mutex_(r, item, 1) == 1 ? WEFT_OK : WEFT_EMPTY;
}

size_t
weft_ring_size_mutex_(const weft_ring *r)
{
    return count_of(r);
}

/* SPDX-License-Identifier: MIT */
/*
 * spsc.c - a ring whose cells carry their own turn number.
 *
 * Positions are handed out by two counters that only grow: position p is cell
 * p % capacity in lap p / capacity.  The turn of a cell says whose move it is:
 *
 *     turn == 2 * lap        free: the push of this lap may write
 *     turn == 2 * lap + 1    full: the pop of this lap may read
 *
 * Whoever has the move ends it by adding one.  All turns start at zero, so a
 * ring of capacity 1 needs no special case.  Counters and turns have 64 bits
 * and never wrap: at 10^9 pushes a second that takes 584 years.
 *
 * Ordering.  Two edges carry all the data.  The counters carry none and are
 * relaxed:
 *
 *     publish   push ends its turn   ->  pop sees its own, reads the item
 *     vacate    pop ends its turn    ->  push sees its own, writes the item
 *
 * WEFT_MUTEX uses the same counters and items under the lock, not the turns.
 */
#include <weft/spsc.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cacheline.h"

struct cell {
    _Atomic uint64_t turn;
    void *item; /* owned by whoever the turn names */
};

/* Constants, tail, head and cells lie on lines of their own. */
struct weft_spsc {
    enum weft_impl impl; /* constant, like capacity */
    size_t capacity;
    pthread_mutex_t lock;                      /* WEFT_MUTEX only */
    alignas(WEFT_CACHE_LINE) _Atomic uint64_t tail; /* next position to push */
    alignas(WEFT_CACHE_LINE) _Atomic uint64_t head; /* next position to pop */
    alignas(WEFT_CACHE_LINE) struct cell cells[];
};

enum weft_status
weft_spsc_create(weft_spsc **out, size_t capacity, enum weft_impl impl)
{
    if (out == NULL || capacity == 0 || (unsigned)impl > WEFT_MUTEX)
        return WEFT_INVALID;
    if (capacity > PTRDIFF_MAX / (2 * sizeof(struct cell)))
        return WEFT_NO_MEMORY;

    /* aligned_alloc wants a multiple of the line; the bound leaves room. */
    size_t bytes = sizeof(weft_spsc) + capacity * sizeof(struct cell);
    bytes = (bytes + WEFT_CACHE_LINE - 1) / WEFT_CACHE_LINE * WEFT_CACHE_LINE;
    weft_spsc *r = aligned_alloc(WEFT_CACHE_LINE, bytes);
    if (r == NULL)
        return WEFT_NO_MEMORY;

    r->impl = impl;
    r->capacity = capacity;
    pthread_mutex_init(&r->lock, NULL);
    atomic_init(&r->tail, 0);
    atomic_init(&r->head, 0);
    for (size_t i = 0; i < capacity; i++)
        atomic_init(&r->cells[i].turn, 0);

    *out = r;
    return WEFT_OK;
}

void
weft_spsc_destroy(weft_spsc *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/*
 * Claim the next position of `counter` and return its cell, or NULL if it is
 * still the other side's move.  `side` is 0 to push, 1 to pop.  The caller
 * owns the item of the cell until it stores `*turn + 1`.
 */
static inline struct cell *
claim(weft_spsc *r, _Atomic uint64_t *counter, uint64_t side, uint64_t *turn)
{
    uint64_t p = atomic_load_explicit(counter, memory_order_relaxed);

    for (;;) {
        struct cell *c = &r->cells[p % r->capacity];
        uint64_t mine = 2 * (p / r->capacity) + side;
        /* acquire: vacate (side 0), publish (side 1) */
        *turn = atomic_load_explicit(&c->turn, memory_order_acquire);

        if (*turn < mine)
            return NULL;
        if (*turn > mine) {
            /* p is stale.  Who moved the turn had moved the counter first. */
            p = atomic_load_explicit(counter, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       counter, &p, p + 1, memory_order_relaxed,
                       memory_order_relaxed)) {
            return c;
        }
    }
}

static bool
push_lockfree(weft_spsc *r, void *item)
{
    uint64_t turn;
    struct cell *c = claim(r, &r->tail, 0, &turn);
    if (c == NULL)
        return false;

    c->item = item;
    /* release: publish */
    atomic_store_explicit(&c->turn, turn + 1, memory_order_release);
    return true;
}

static bool
pop_lockfree(weft_spsc *r, void **item)
{
    uint64_t turn;
    struct cell *c = claim(r, &r->head, 1, &turn);
    if (c == NULL)
        return false;

    *item = c->item;
    /* release: vacate */
    atomic_store_explicit(&c->turn, turn + 1, memory_order_release);
    return true;
}

static bool
push_mutex(weft_spsc *r, void *item)
{
    pthread_mutex_lock(&r->lock);
    uint64_t p = atomic_load_explicit(&r->tail, memory_order_relaxed);
    bool room = weft_spsc_size(r) < r->capacity;
    if (room) {
        r->cells[p % r->capacity].item = item;
        atomic_store_explicit(&r->tail, p + 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&r->lock);
    return room;
}

static bool
pop_mutex(weft_spsc *r, void **item)
{
    pthread_mutex_lock(&r->lock);
    uint64_t p = atomic_load_explicit(&r->head, memory_order_relaxed);
    bool some = weft_spsc_size(r) > 0;
    if (some) {
        *item = r->cells[p % r->capacity].item;
        atomic_store_explicit(&r->head, p + 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&r->lock);
    return some;
}

enum weft_status
weft_spsc_push(weft_spsc *r, void *item)
{
    bool done =
        r->impl == WEFT_MUTEX ? push_mutex(r, item) : push_lockfree(r, item);
    return done ? WEFT_OK : WEFT_FULL;
}

enum weft_status
weft_spsc_pop(weft_spsc *r, void **item)
{
    bool done =
        r->impl == WEFT_MUTEX ? pop_mutex(r, item) : pop_lockfree(r, item);
    return done ? WEFT_OK : WEFT_EMPTY;
}

size_t
weft_spsc_size(const weft_spsc *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    /* The two loads are not one snapshot; clamp what no moment ever held. */
    if (tail < head)
        return 0;
    return tail - head < r->capacity ? (size_t)(tail - head) : r->capacity;
}

size_t
weft_spsc_push_n(weft_spsc *r, void *const *items, size_t n)
{
    size_t done = 0;

    while (done < n && weft_spsc_push(r, items[done]) == WEFT_OK)
        done++;
    return done;
}

size_t
weft_spsc_pop_n(weft_spsc *r, void **items, size_t n)
{
    size_t done = 0;

    while (done < n && weft_spsc_pop(r, &items[done]) == WEFT_OK)
        done++;
    return done;
}

size_t
weft_spsc_capacity(const weft_spsc *r)
{
    return r->capacity;
}

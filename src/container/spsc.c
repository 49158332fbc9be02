/* SPDX-License-Identifier: MIT */
/*
 * spsc.c - a ring for one producer and one consumer.
 *
 * Positions only grow: the item pushed as number p, from 0, has position p and
 * goes to cell p - lap, where the lap is the position that cell 0 has now.
 * Each cell carries beside its item a stamp, p + 1 once the item of position p
 * is there.  So the consumer finds out from the cell that it reads anyway
 * whether there is an item, and one cache line brings up to four items with
 * their announcements; it never reads the producer's line.
 *
 * The consumer announces by its own position, `head`, that cells are free.
 * The producer keeps a limit, the position up to which it may go without
 * looking: capacity beyond the head it saw last, or the end of the lap if that
 * comes first.  It reads the consumer's line only when it gets there, once in
 * a capacity of items if the consumer keeps up.
 *
 * Both sides know their cell without a division: the lap moves on by capacity
 * when the cells end.  The producer's limit ends there; the consumer finds
 * behind the last cell one more, whose stamp stays 0.
 *
 *     stamp of cell p - lap     seen by the consumer at position p
 *     p + 1                     the item is there, and the consumer's to take
 *     less, of an earlier lap   not yet pushed: empty
 *     more                      never: the producer is at most a capacity ahead
 *
 * FULL and EMPTY do not lie: a push that ends in FULL has just read head, a pop
 * that ends in EMPTY has just read the stamp, and a load is never older than
 * what happens before it.
 *
 * Positions have 64 bits and never wrap: at 10^9 pushes a second that takes 584
 * years.  Stamp 0 is no position's, so fresh cells are empty.
 *
 * Ordering.  Two edges carry the items:
 *
 *     publish   push stamps the cell  ->  pop sees its stamp, reads the item
 *     vacate    pop moves head        ->  push sees it move, writes the item
 *
 * Whoever moves a position reads it relaxed, as nobody else writes it.  The
 * tail carries nothing; it is stored for size.
 *
 * The idea of a private copy of the other side's position is Lee, Bu and
 * Chandranmenon's, "A Lock-Free, Cache-Efficient Shared Ring Buffer for
 * Multi-Core Architectures", ANCS 2009; that a cell itself says whether it is
 * full, Giacomoni, Moseley and Vachharajani's, "FastForward for Efficient
 * Pipeline Parallelism", PPoPP 2008.  There NULL is no item and the consumer
 * writes the cells too.
 *
 * push and pop are inlined in programs: what they need of the struct is in
 * spsc.h, and what is done there when no look at the other side is due must
 * stay what is done here.  `at` is the position of a side, `limit` the
 * producer's.
 *
 * WEFT_MUTEX has positions of its own under the lock, and no stamps.
 */
#define WEFT_NO_INLINE
#include "container/spsc_impl.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/sched.h"

enum weft_status
weft_spsc_create(weft_spsc **out, size_t capacity, enum weft_impl impl)
{
    if (out == NULL || capacity == 0 || (unsigned)impl > WEFT_MUTEX)
        return WEFT_INVALID;
    if (capacity > PTRDIFF_MAX / (2 * sizeof(struct weft_spsc_cell_)))
        return WEFT_NO_MEMORY;

    /* aligned_alloc wants a multiple of its unit; the bound leaves room. */
    size_t bytes =
        sizeof(weft_spsc) + (capacity + 1) * sizeof(struct weft_spsc_cell_);
    bytes = (bytes + WEFT_CACHE_PAIR - 1) / WEFT_CACHE_PAIR * WEFT_CACHE_PAIR;
    weft_spsc *r = aligned_alloc(WEFT_CACHE_PAIR, bytes);
    if (r == NULL)
        return WEFT_NO_MEMORY;

    r->impl = impl;
    r->capacity = capacity;
    pthread_mutex_init(&r->lock, NULL);
    atomic_init(&r->ends.push.at, 0);
    /* Of WEFT_MUTEX no stamp is ever written and no position moves here, so
     * that the inlined calls always turn to the slow ones. */
    r->ends.push.limit = impl == WEFT_MUTEX ? 0 : capacity;
    r->ends.push.lap = 0;
    r->ends.push.cells = r->cells;
    atomic_init(&r->ends.pop.at, 0);
    r->ends.pop.limit = 0;
    r->ends.pop.lap = 0;
    r->ends.pop.cells = r->cells;
    atomic_init(&r->tail, 0);
    atomic_init(&r->head, 0);
    for (size_t i = 0; i <= capacity; i++)
        atomic_init(&r->cells[i].stamp, 0);

    *out = r;
    return WEFT_OK;
}

void
weft_spsc_destroy(weft_spsc *r)
{
    weft_spsc_destroy_with(r, NULL, NULL);
}

void
weft_spsc_destroy_with(weft_spsc *r, void (*drop)(void *item, void *ctx),
                       void *ctx)
{
    void *item;

    if (r == NULL)
        return;
    while (drop != NULL && weft_spsc_pop(r, &item) == WEFT_OK)
        drop(item, ctx);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/*
 * The producer at position `tail` has come to its limit: set a new one, and
 * begin the next lap if this one is over.  False if the ring is full.
 */
__attribute__((noinline)) static bool
find_room(weft_spsc *r, uint64_t tail)
{
    /* acquire: vacate */
    uint64_t head = atomic_load_explicit(&r->ends.pop.at, memory_order_acquire);
    uint64_t full = head + r->capacity;
    if (tail == full)
        return false;

    if (tail == r->ends.push.lap + r->capacity)
        r->ends.push.lap = tail;
    uint64_t end = r->ends.push.lap + r->capacity;
    r->ends.push.limit = full < end ? full : end;
    return true;
}

static bool
push_lockfree(weft_spsc *r, void *item)
{
    uint64_t tail =
        atomic_load_explicit(&r->ends.push.at, memory_order_relaxed);
    if (tail == r->ends.push.limit && !find_room(r, tail))
        return false;

    struct weft_spsc_cell_ *c = &r->cells[tail - r->ends.push.lap];
    c->item = item;
    WEFT_SCHED_POINT_("spsc.push.not_published");
    /* release: publish */
    atomic_store_explicit(&c->stamp, tail + 1, memory_order_release);
    WEFT_SCHED_POINT_("spsc.push.tail_behind");
    atomic_store_explicit(&r->ends.push.at, tail + 1, memory_order_relaxed);
    return true;
}

/*
 * Return the cell of the consumer's position `head` if its item is there, else
 * NULL.  Behind the last cell comes the first, in the next lap.
 */
static inline struct weft_spsc_cell_ *
find_item(weft_spsc *r, uint64_t head)
{
    for (;;) {
        struct weft_spsc_cell_ *c = &r->cells[head - r->ends.pop.lap];
        /* acquire: publish */
        if (atomic_load_explicit(&c->stamp, memory_order_acquire) == head + 1)
            return c;
        if (c != &r->cells[r->capacity])
            return NULL;
        r->ends.pop.lap = head;
    }
}

static bool
pop_lockfree(weft_spsc *r, void **item)
{
    uint64_t head = atomic_load_explicit(&r->ends.pop.at, memory_order_relaxed);
    struct weft_spsc_cell_ *c = find_item(r, head);
    if (c == NULL)
        return false;

    *item = c->item;
    WEFT_SCHED_POINT_("spsc.pop.not_vacated");
    /* release: vacate */
    atomic_store_explicit(&r->ends.pop.at, head + 1, memory_order_release);
    return true;
}

static size_t
push_n_lockfree(weft_spsc *r, void *const *items, size_t n)
{
    uint64_t tail =
        atomic_load_explicit(&r->ends.push.at, memory_order_relaxed);
    size_t done = 0;

    while (done < n && (tail != r->ends.push.limit || find_room(r, tail))) {
        struct weft_spsc_cell_ *c = &r->cells[tail - r->ends.push.lap];
        size_t room = (size_t)(r->ends.push.limit - tail);
        size_t end = room < n - done ? done + room : n;
        while (done < end) {
            c->item = items[done++];
            WEFT_SCHED_POINT_("spsc.push_n.not_published");
            /* release: publish */
            atomic_store_explicit(&c->stamp, ++tail, memory_order_release);
            c++;
        }
    }
    atomic_store_explicit(&r->ends.push.at, tail, memory_order_relaxed);
    return done;
}

static size_t
pop_n_lockfree(weft_spsc *r, void **items, size_t n)
{
    uint64_t head = atomic_load_explicit(&r->ends.pop.at, memory_order_relaxed);
    size_t done = 0;

    while (done < n) {
        struct weft_spsc_cell_ *c = find_item(r, head);
        if (c == NULL)
            break;
        items[done++] = c->item;
        head++;
    }
    WEFT_SCHED_POINT_("spsc.pop_n.not_vacated");
    /* release: vacate */
    atomic_store_explicit(&r->ends.pop.at, head, memory_order_release);
    return done;
}

static size_t
push_n_mutex(weft_spsc *r, void *const *items, size_t n)
{
    pthread_mutex_lock(&r->lock);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    size_t room = (size_t)r->capacity - weft_spsc_size(r);
    if (n > room)
        n = room;
    for (size_t i = 0; i < n; i++)
        r->cells[(tail + i) % r->capacity].item = items[i];
    atomic_store_explicit(&r->tail, tail + n, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
    return n;
}

static size_t
pop_n_mutex(weft_spsc *r, void **items, size_t n)
{
    pthread_mutex_lock(&r->lock);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t size = weft_spsc_size(r);
    if (n > size)
        n = size;
    for (size_t i = 0; i < n; i++)
        items[i] = r->cells[(head + i) % r->capacity].item;
    atomic_store_explicit(&r->head, head + n, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
    return n;
}

enum weft_status
weft_spsc_push_slow_(weft_spsc *r, void *item)
{
    bool done = r->impl == WEFT_MUTEX ? push_n_mutex(r, &item, 1) == 1
                                      : push_lockfree(r, item);
    return done ? WEFT_OK : WEFT_FULL;
}

enum weft_status
weft_spsc_pop_slow_(weft_spsc *r, void **item)
{
    bool done = r->impl == WEFT_MUTEX ? pop_n_mutex(r, item, 1) == 1
                                      : pop_lockfree(r, item);
    return done ? WEFT_OK : WEFT_EMPTY;
}

enum weft_status
weft_spsc_push(weft_spsc *r, void *item)
{
    return weft_spsc_push_slow_(r, item);
}

enum weft_status
weft_spsc_pop(weft_spsc *r, void **item)
{
    return weft_spsc_pop_slow_(r, item);
}

size_t
weft_spsc_push_n(weft_spsc *r, void *const *items, size_t n)
{
    return r->impl == WEFT_MUTEX ? push_n_mutex(r, items, n)
                                 : push_n_lockfree(r, items, n);
}

size_t
weft_spsc_pop_n(weft_spsc *r, void **items, size_t n)
{
    return r->impl == WEFT_MUTEX ? pop_n_mutex(r, items, n)
                                 : pop_n_lockfree(r, items, n);
}

size_t
weft_spsc_size(const weft_spsc *r)
{
    const bool locked = r->impl == WEFT_MUTEX;
    uint64_t head = atomic_load_explicit(locked ? &r->head : &r->ends.pop.at,
                                         memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(locked ? &r->tail : &r->ends.push.at,
                                         memory_order_relaxed);

    /* The two loads are not one snapshot; clamp what no moment ever held. */
    if (tail < head)
        return 0;
    return tail - head < r->capacity ? (size_t)(tail - head)
                                     : (size_t)r->capacity;
}

size_t
weft_spsc_capacity(const weft_spsc *r)
{
    return (size_t)r->capacity;
}

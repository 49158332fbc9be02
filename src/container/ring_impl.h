/* SPDX-License-Identifier: MIT */
/*
 * container/ring_impl.h - what the forms of the ring share: the struct, and
 * the arithmetic of positions.
 *
 * A position is {lap, index} in one word: the low bits, as many as `capacity`
 * needs, are the index of its cell, the rest count laps.  Going on needs no
 * division (35 to 90 cycles on many CPUs), whatever the capacity.  Positions
 * are compared as numbers.
 *
 *     63                    k                0
 *     +---------------------+----------------+
 *     |         lap         |     index      |    2^k >= capacity, k >= 2
 *     +---------------------+----------------+
 *
 * At least a quarter of the 2^k indices are in use and bit 63 stays free, so
 * 2^61 positions fit: at 10^9 pushes a second they last 73 years.
 *
 * The stamp of a cell says whose move it is, in the lap it names:
 *
 *     lap | 0     free: the push of this lap may write
 *     lap | 1     full: the pop of this lap may read; it leaves (lap + 1) | 0
 *
 * where `lap` stands in the bits it has in a position, which leaves bits 0 and 1
 * free.
 * A push (side 0) and a pop (side 1) at position p thus both ask the same: is
 * the stamp below lap_of(p) | side (it is the other side's move), equal (mine)
 * or above (somebody has done p)?  Stamps only grow and start at zero, so a
 * ring of capacity 1 needs no special case, and fresh pages of the system need
 * not be touched.
 *
 * A ring may be closed, for the blocking queue (src/queue): from then on no push
 * succeeds.  What says so is where a push cannot miss it, and costs it nothing:
 *
 *     LOCKLESS   WEFT_RING_ENDED_ in `tail`: every position is beyond the cells
 *     LOCKFREE   WEFT_RING_END_ in the stamp of the cell that would be pushed
 *                next, full or not: no push gets past it
 *
 * Either way a push finds a stamp that is not its own and says FULL.
 */
#ifndef WEFT_CONTAINER_RING_IMPL_H
#define WEFT_CONTAINER_RING_IMPL_H

#include <weft/ring.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cacheline.h"
#include "base/pair.h"

/* Constants, what push changes and what pop changes lie apart. */
struct weft_ring {
    enum weft_impl impl; /* constant, as are the next five */
    size_t capacity;
    uint64_t one_lap;        /* 2^k: a position, one lap on */
    struct weft_pair *cells; /* `capacity` of them; NULL if WEFT_MUTEX */
    void **items;            /* the same of WEFT_MUTEX; NULL if not */
    void *memory;            /* what to free */

    /* LOCKLESS: the next position to push; LOCKFREE: not after it. */
    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t tail;
    /* LOCKLESS: the next position to pop; LOCKFREE: not after it. */
    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t head;

    /* WEFT_MUTEX only. */
    alignas(WEFT_CACHE_PAIR) pthread_mutex_t lock;
    size_t first;         /* index of the oldest item */
    _Atomic size_t count; /* items; changed under the lock */
};

enum { PUSH, POP }; /* the sides */

#define WEFT_RING_END_   ((uint64_t)2)       /* in a stamp: nothing after it */
#define WEFT_RING_ENDED_ ((uint64_t)1 << 63) /* in `tail` */

static inline uint64_t
weft_ring_index_(const weft_ring *r, uint64_t p)
{
    return p & (r->one_lap - 1);
}

static inline uint64_t
weft_ring_lap_(const weft_ring *r, uint64_t p)
{
    return p & ~(r->one_lap - 1);
}

/* The position `k` after `p`; `k` is at most the capacity. */
static inline uint64_t
weft_ring_advance_(const weft_ring *r, uint64_t p, uint64_t k)
{
    uint64_t index = weft_ring_index_(r, p) + k;

    if (index < r->capacity)
        return p + k;
    return weft_ring_lap_(r, p) + r->one_lap + (index - r->capacity);
}

/* From `p` to `q` [positions], no more than the capacity. */
size_t weft_ring_distance_(const weft_ring *r, uint64_t p, uint64_t q);

/*
 * Return the first position after `p` that `side` has not done.
 *
 *   p          a position that it has done
 *   probes     if not NULL, grows by the number of cells looked at: at most
 *              2 + 2 log2(capacity), however far the answer is
 */
uint64_t weft_ring_catch_up_(const weft_ring *r, uint64_t p, unsigned side,
                             unsigned *probes);

/* A stamp as it is in a ring that is not closed. */
static inline uint64_t
weft_ring_turn_(uint64_t stamp)
{
    return stamp & ~WEFT_RING_END_;
}

/*
 * Let no push succeed from now on.  One that overlaps either succeeds, and every
 * pop after the close sees its item or sees it on its way, or says WEFT_FULL.
 *
 *   requires   not WEFT_MUTEX; the same of the four below
 *   progress   lock-free; may be repeated, and called by several threads
 *   ordering   everything before the close happens-before
 *              weft_ring_is_closed_ is true, or a push is refused by it
 */
void weft_ring_close_(weft_ring *r);
bool weft_ring_is_closed_(const weft_ring *r);

/* Whether it is closed and no pop will succeed again. */
bool weft_ring_is_drained_(const weft_ring *r);

/* Whether `side` would succeed now. */
bool weft_ring_is_ready_(const weft_ring *r, unsigned side);

/* How many items were ever pushed, LOCKLESS: or are on their way; never more
 * than that, and if not `exactly`, perhaps fewer. */
uint64_t weft_ring_pushed_(const weft_ring *r, bool exactly);

/* LOCKFREE: the first position that `side` has not done; LOCKLESS: the next. */
uint64_t weft_ring_next_lockfree_(const weft_ring *r, unsigned side);
void weft_ring_close_lockfree_(weft_ring *r);

/* The variants; each as the public call without the suffix. */
enum weft_status weft_ring_push_lockfree_(weft_ring *r, void *item);
enum weft_status weft_ring_pop_lockfree_(weft_ring *r, void **item);
size_t weft_ring_push_n_lockfree_(weft_ring *r, void *const *items, size_t n);
size_t weft_ring_pop_n_lockfree_(weft_ring *r, void **items, size_t n);
size_t weft_ring_size_lockfree_(const weft_ring *r);

enum weft_status weft_ring_push_lockless_(weft_ring *r, void *item);
enum weft_status weft_ring_pop_lockless_(weft_ring *r, void **item);
size_t weft_ring_push_n_lockless_(weft_ring *r, void *const *items, size_t n);
size_t weft_ring_pop_n_lockless_(weft_ring *r, void **items, size_t n);
size_t weft_ring_size_lockless_(const weft_ring *r);

enum weft_status weft_ring_push_mutex_(weft_ring *r, void *item);
enum weft_status weft_ring_pop_mutex_(weft_ring *r, void **item);
size_t weft_ring_push_n_mutex_(weft_ring *r, void *const *items, size_t n);
size_t weft_ring_pop_n_mutex_(weft_ring *r, void **items, size_t n);
size_t weft_ring_size_mutex_(const weft_ring *r);

#endif /* WEFT_CONTAINER_RING_IMPL_H */

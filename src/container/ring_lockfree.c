/* SPDX-License-Identifier: MIT */
/*
 * container/ring_lockfree.c - the strictly lock-free form.
 *
 * The cells alone are the ring: a push is one compare-and-swap of a whole cell,
 * {old item, lap | 0} to {item, lap | 1}, and a pop is one of its stamp, lap | 1
 * to (lap + 1) | 0.  In between the cell is always whole, so there is no step
 * in which a stopped thread stops others.
 *
 * `tail` and `head` are hints where to begin, written with plain stores after
 * the deed, perhaps late and perhaps backwards.  What holds of them, and of any
 * position p at which a call looks for its turn:
 *
 *     every position below p has been done (pushed; popped)
 *
 * since a call begins at a hint, goes past a position only when its stamp says
 * that it has been done, does only the position it stands at, and stores only
 * the one after.  So the positions done by each side are a gapless row from
 * zero; a position is done by the compare-and-swap, and that is the moment at
 * which the call takes effect:
 *
 *     push, stamp < mine   p - capacity is pushed but not popped, all before p
 *                          are pushed, p is not: there are exactly `capacity`
 *                          items at the load, and the ring is truly full
 *     pop, stamp < mine    p is not pushed, all before it are popped: the ring
 *                          is truly empty at the load
 *     stamp == mine        p is next: nothing before it is left to do
 *     stamp > mine         p has been done: go on
 *
 * A hint that was set far back costs the next caller O(log capacity) looks: the
 * stamp names the lap the ring is in, and within a lap "has q been done?" is
 * true up to one position and false from there on.
 *
 * Stamps never come back, so a compare-and-swap that finds the stamp it was
 * told finds the whole cell as it was: a pop reads the item before it.
 *
 * After a lost compare-and-swap somebody else has done a position, so the ring
 * as a whole goes on; the loser steps back for a bounded time.
 *
 * Original in this form.  Related: Shann, Huang & Chen, A Practical Nonblocking
 * Queue Algorithm Using Compare-and-Swap, ICPADS 2000, and Tsigas & Zhang, A
 * Simple, Fast and Scalable Non-Blocking Concurrent FIFO Queue for Shared
 * Memory Multiprocessor Systems, SPAA 2001, keep array and counters in step by
 * helping; Colvin & Groves, Formal Verification of an Array-Based Nonblocking
 * Queue, ICECCS 2005, found and mended an error in the former.  Here nothing
 * is to be kept in step.  Tickets by fetch-and-add (SCQ: Nikolaev, DISC 2019;
 * LCRQ: Morrison & Afek, PPoPP 2013; LPRQ: Romanov & Koval, PPoPP 2023) need a
 * spare lap of cells and cannot say exactly when a bounded ring is full.
 *
 * Ordering.  What a call has seen done, it has seen with everything before it,
 * by induction over the positions:
 *
 *     publish   push does p      ->  whoever sees it; pop reads the item
 *     vacate    pop does p       ->  whoever sees it; push overwrites the item
 *     advance   a hint is moved  ->  a later call begins there and sees all
 *                                    positions before it as done
 */
#include "container/ring_impl.h"

#include "base/backoff.h"
#include "base/sched.h"

/* Positions to try one by one before a search: two lines of cells. */
#define NEAR 8

struct place {
    uint64_t p;
    struct weft_pair *cell;
    uint64_t stamp;
};

static bool
is_done(const weft_ring *r, uint64_t p, unsigned side)
{
    struct weft_pair *cell = &r->cells[weft_ring_index_(r, p)];
    /* acquire: publish, vacate */
    uint64_t stamp = atomic_load_explicit(&cell->stamp, memory_order_acquire);

    return stamp > (weft_ring_lap_(r, p) | side);
}

uint64_t
weft_ring_catch_up_(const weft_ring *r, uint64_t p, unsigned side,
                    unsigned *probes)
{
    uint64_t index = weft_ring_index_(r, p);
    /* acquire: publish, vacate */
    uint64_t stamp =
        atomic_load_explicit(&r->cells[index].stamp, memory_order_acquire);
    unsigned looks = 1;

    /* The last position of this cell that has been done, */
    uint64_t lap = weft_ring_lap_(r, stamp);
    if (stamp <= (lap | side))
        lap -= r->one_lap;
    uint64_t base = lap | index;

    /* and the last of the row, which is less than a lap ahead. */
    uint64_t low = 0; /* done */
    uint64_t high = r->capacity;
    for (uint64_t step = 1; step < high; step *= 2) {
        looks++;
        if (is_done(r, weft_ring_advance_(r, base, step), side))
            low = step;
        else
            high = step;
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        looks++;
        if (is_done(r, weft_ring_advance_(r, base, middle), side))
            low = middle;
        else
            high = middle;
    }

    if (probes != NULL)
        *probes += looks;
    return weft_ring_advance_(r, base, high);
}

/*
 * Go on from `at->p` to the first position not done and return true if it is
 * the move of `side` there.
 */
static inline bool
find_mine(const weft_ring *r, struct place *at, unsigned side)
{
    for (unsigned tries = 0;; tries++) {
        uint64_t mine = weft_ring_lap_(r, at->p) | side;
        at->cell = &r->cells[weft_ring_index_(r, at->p)];
        /* acquire: publish, vacate */
        at->stamp =
            atomic_load_explicit(&at->cell->stamp, memory_order_acquire);

        if (at->stamp <= mine)
            return at->stamp == mine;
        at->p = tries < NEAR ? weft_ring_advance_(r, at->p, 1)
                             : weft_ring_catch_up_(r, at->p, side, NULL);
    }
}

/* Do the position `at`, in which `*item` goes in or comes out. */
static inline bool
take_turn(const weft_ring *r, const struct place *at, unsigned side,
          void **item)
{
    if (side == PUSH) {
        /* Only handed back to the compare-and-swap, which judges it. */
        void *old = atomic_load_explicit(&at->cell->item, memory_order_relaxed);
        /* acq_rel: publish, vacate */
        return weft_pair_replace_(at->cell, old, at->stamp, *item,
                                  at->stamp | 1, memory_order_acq_rel);
    }

    /* acquire: publish */
    void *oldest = atomic_load_explicit(&at->cell->item, memory_order_acquire);
    uint64_t stamp = at->stamp;
    uint64_t free_stamp = weft_ring_lap_(r, at->p) + r->one_lap;
    /* acq_rel: vacate, publish */
    bool done = atomic_compare_exchange_strong_explicit(
        &at->cell->stamp, &stamp, free_stamp, memory_order_acq_rel,
        memory_order_relaxed);
    if (done)
        *item = oldest;
    return done;
}

/* Do one position for `side`; false if it is the other side's move. */
static inline bool
do_one(weft_ring *r, _Atomic uint64_t *hint, unsigned side, void **item)
{
    /* acquire: advance */
    struct place at = {.p = atomic_load_explicit(hint, memory_order_acquire)};
    unsigned pauses = WEFT_BACKOFF_FIRST;

    while (find_mine(r, &at, side)) {
        if (take_turn(r, &at, side, item)) {
            WEFT_SCHED_POINT_("ring.done_not_told");
            /* release: advance */
            atomic_store_explicit(hint, weft_ring_advance_(r, at.p, 1),
                                  memory_order_release);
            return true;
        }
        pauses = weft_backoff_(pauses);
        /* acquire: advance */
        uint64_t now = atomic_load_explicit(hint, memory_order_acquire);
        if (now > at.p)
            at.p = now;
    }
    return false;
}

enum weft_status
weft_ring_push_lockfree_(weft_ring *r, void *item)
{
    return do_one(r, &r->tail, PUSH, &item) ? WEFT_OK : WEFT_FULL;
}

enum weft_status
weft_ring_pop_lockfree_(weft_ring *r, void **item)
{
    return do_one(r, &r->head, POP, item) ? WEFT_OK : WEFT_EMPTY;
}

size_t
weft_ring_push_n_lockfree_(weft_ring *r, void *const *items, size_t n)
{
    size_t done = 0;

    while (done < n) {
        void *item = items[done];
        if (!do_one(r, &r->tail, PUSH, &item))
            break;
        done++;
    }
    return done;
}

size_t
weft_ring_pop_n_lockfree_(weft_ring *r, void **items, size_t n)
{
    size_t done = 0;

    while (done < n && do_one(r, &r->head, POP, &items[done]))
        done++;
    return done;
}

size_t
weft_ring_size_lockfree_(const weft_ring *r)
{
    struct place head;
    struct place tail;

    /* acquire: advance */
    head.p = atomic_load_explicit(&r->head, memory_order_acquire);
    (void)find_mine(r, &head, POP);
    /* acquire: advance */
    tail.p = atomic_load_explicit(&r->tail, memory_order_acquire);
    (void)find_mine(r, &tail, PUSH);
    return weft_ring_distance_(r, head.p, tail.p);
}

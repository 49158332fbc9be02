/* SPDX-License-Identifier: MIT */
/*
 * container/ring_lockfree.c - the strictly lock-free form.
 *
 * The cells alone are the ring: a push is one compare-and-swap of a whole cell
 * and so is a pop.  In between the cell is always whole, so there is no step in
 * which a stopped thread stops others:
 *
 *     push   {NULL, lap | 0}  ->  {item, lap | 1}
 *     pop    {item, lap | 1}  ->  {NULL, (lap + 1) | 0}
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
 * told finds the whole cell as it was.  That of a pop could do with the stamp
 * alone, in 8 bytes; but then a pop costs less than a push, consumers stay at
 * the producers' heels, and both fight for one cache line (doc/design/ring.md).
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

/* `side` is constant in each caller, and nothing is left of `struct place`. */
#define INLINE static inline __attribute__((always_inline))

/* Positions to try one by one before a search: two lines of cells. */
#define NEAR 8

struct place {
    uint64_t p;
    uint64_t mine; /* what the stamp is when it is the turn of the side */
    uint64_t stamp;
    struct weft_pair *cell;
};

static bool
is_done(const weft_ring *r, uint64_t p, unsigned side)
{
    struct weft_pair *cell = &r->cells[weft_ring_index_(r, p)];
    /* acquire: publish, vacate */
    uint64_t stamp = atomic_load_explicit(&cell->stamp, memory_order_acquire);

    return weft_ring_turn_(stamp) > (weft_ring_lap_(r, p) | side);
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
    if (weft_ring_turn_(stamp) <= (lap | side))
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

INLINE struct place
look(const weft_ring *r, uint64_t p, unsigned side)
{
    struct place at = {.p = p, .mine = weft_ring_lap_(r, p) | side};

    at.cell = &r->cells[weft_ring_index_(r, p)];
    /* acquire: publish, vacate */
    at.stamp = atomic_load_explicit(&at.cell->stamp, memory_order_acquire);
    return at;
}

/*
 * Do the position `at`, where `*item` goes in or comes out, and tell the next
 * call where to begin; false if somebody else did it first.
 */
INLINE bool
take_turn(const weft_ring *r, _Atomic uint64_t *hint, const struct place *at,
          unsigned side, void **item)
{
    if (side == PUSH) {
        /* acq_rel: publish, vacate */
        if (!weft_pair_replace_(at->cell, NULL, at->mine, *item, at->mine | 1,
                                memory_order_acq_rel))
            return false;
    } else {
        uint64_t vacant = weft_ring_lap_(r, at->p) + r->one_lap;
        /* Perhaps of another lap; the swap finds out, and orders it. */
        void *oldest =
            atomic_load_explicit(&at->cell->item, memory_order_relaxed);
        /* acq_rel: vacate, publish */
        if (!weft_pair_replace_(at->cell, oldest, at->mine, NULL, vacant,
                                memory_order_acq_rel))
            return false;
        *item = oldest;
    }

    WEFT_SCHED_POINT_("ring.done_not_told");
    /* Reckoned here and not earlier: see "In step" in doc/design/ring.md. */
    uint64_t next = weft_ring_advance_(r, at->p, 1);
    /* release: advance */
    atomic_store_explicit(hint, next, memory_order_release);
    return true;
}

/* Step back, and return where to go on after a position lost at `p`. */
static uint64_t
after_loss(_Atomic uint64_t *hint, uint64_t p, unsigned *pauses)
{
    *pauses = weft_backoff_(*pauses);
    /* acquire: advance */
    uint64_t now = atomic_load_explicit(hint, memory_order_acquire);
    return now > p ? now : p;
}

/* Pop the last cell that a closed ring was full with, and keep the mark. */
static bool
pop_last(const weft_ring *r, const struct place *at, void **item)
{
    uint64_t vacant = weft_ring_lap_(r, at->p) + r->one_lap;
    void *oldest = atomic_load_explicit(&at->cell->item, memory_order_relaxed);

    /* acq_rel: vacate, publish */
    if (!weft_pair_replace_(at->cell, oldest, at->stamp, NULL,
                            vacant | WEFT_RING_END_, memory_order_acq_rel))
        return false;
    *item = oldest;
    return true;
}

/* As do_one, where `at` was not simply the turn of `side`. */
static __attribute__((noinline)) bool
do_one_slowly(const weft_ring *r, _Atomic uint64_t *hint, struct place at,
              unsigned side, void **item)
{
    unsigned pauses = WEFT_BACKOFF_FIRST;
    unsigned tries = 0;
    uint64_t p = at.p;

    if (at.stamp == at.mine)
        p = after_loss(hint, p, &pauses);
    for (;;) {
        at = look(r, p, side);
        const uint64_t turn = weft_ring_turn_(at.stamp);
        if (turn < at.mine)
            return false;
        if (at.stamp == at.mine) {
            if (take_turn(r, hint, &at, side, item))
                return true;
            p = after_loss(hint, p, &pauses);
        } else if (turn == at.mine) {
            if (side == PUSH)
                return false; /* the ring is closed */
            if (pop_last(r, &at, item))
                return true;
        } else if (tries++ < NEAR) {
            p = weft_ring_advance_(r, p, 1);
        } else {
            p = weft_ring_catch_up_(r, p, side, NULL);
        }
    }
}

/* Do the next position of `side`; false if it is the other side's move. */
INLINE bool
do_one(const weft_ring *r, _Atomic uint64_t *hint, unsigned side, void **item)
{
    /* acquire: advance */
    uint64_t p = atomic_load_explicit(hint, memory_order_acquire);
    struct place at = look(r, p, side);

    if (at.stamp < at.mine)
        return false;
    if (at.stamp == at.mine && take_turn(r, hint, &at, side, item))
        return true;
    return do_one_slowly(r, hint, at, side, item);
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

/*
 * The same up to `n` times.  Where nobody else is at work the position needs
 * not be read again; the hint is moved each time, or the others would walk.
 */
INLINE size_t
do_n(const weft_ring *r, _Atomic uint64_t *hint, unsigned side, void **items,
     size_t n)
{
    /* acquire: advance */
    uint64_t p = atomic_load_explicit(hint, memory_order_acquire);
    size_t done = 0;

    while (done < n) {
        struct place at = look(r, p, side);
        if (at.stamp < at.mine)
            break;
        if (at.stamp == at.mine &&
            take_turn(r, hint, &at, side, &items[done])) {
            done++;
            p = weft_ring_advance_(r, p, 1);
            continue;
        }
        if (!do_one_slowly(r, hint, at, side, &items[done]))
            break;
        done++;
        /* acquire: advance */
        p = atomic_load_explicit(hint, memory_order_acquire);
    }
    return done;
}

size_t
weft_ring_push_n_lockfree_(weft_ring *r, void *const *items, size_t n)
{
    /* Not written to: PUSH only reads them. */
    return do_n(r, &r->tail, PUSH, (void **)(uintptr_t)items, n);
}

size_t
weft_ring_pop_n_lockfree_(weft_ring *r, void **items, size_t n)
{
    return do_n(r, &r->head, POP, items, n);
}

uint64_t
weft_ring_next_lockfree_(const weft_ring *r, unsigned side)
{
    const _Atomic uint64_t *hint = side == PUSH ? &r->tail : &r->head;
    /* acquire: advance */
    uint64_t p = atomic_load_explicit(hint, memory_order_acquire);

    return is_done(r, p, side) ? weft_ring_catch_up_(r, p, side, NULL) : p;
}

size_t
weft_ring_size_lockfree_(const weft_ring *r)
{
    uint64_t head = weft_ring_next_lockfree_(r, POP);
    uint64_t tail = weft_ring_next_lockfree_(r, PUSH);

    return weft_ring_distance_(r, head, tail);
}

void
weft_ring_close_lockfree_(weft_ring *r)
{
    for (;;) {
        uint64_t p = weft_ring_next_lockfree_(r, PUSH);
        struct place at = look(r, p, PUSH);
        if (weft_ring_turn_(at.stamp) > at.mine)
            continue;
        if (weft_ring_turn_(at.stamp) != at.stamp)
            return;
        /* As a push: whoever changes the cell, changes its stamp. */
        void *item = atomic_load_explicit(&at.cell->item, memory_order_relaxed);
        /* acq_rel: publish, vacate */
        if (weft_pair_replace_(at.cell, item, at.stamp, item,
                               at.stamp | WEFT_RING_END_, memory_order_acq_rel))
            return;
    }
}

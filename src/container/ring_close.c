/* SPDX-License-Identifier: MIT */
/*
 * container/ring_close.c - the end of a ring, and what else the blocking queue
 * wants to know of one.
 *
 * LOCKLESS.  A push claims its position with a compare-and-swap of `tail`; the
 * mark makes the swaps of all that have not claimed yet fail, and what they
 * then read there is no position.  Those that have claimed go on and succeed:
 * they are between `head` and the position beside the mark, so a pop that finds
 * the ring empty knows whether something is on its way.
 *
 * LOCKFREE.  The mark is set with a compare-and-swap of the cell of the first
 * position that is not pushed, so a push of it comes before or fails; and no
 * push goes past a position that is not done.  If the ring is full, that cell
 * holds the oldest item, and the pop of it keeps the mark.
 *
 * Ordering.
 *
 *     end    weft_ring_close_  ->  who sees the mark sees what was before it
 */
#include "container/ring_impl.h"

void
weft_ring_close_(weft_ring *r)
{
    if (r->impl == WEFT_LOCKFREE)
        weft_ring_close_lockfree_(r);
    else
        /* release: end */
        atomic_fetch_or_explicit(&r->tail, WEFT_RING_ENDED_,
                                 memory_order_release);
}

/* The stamp of the cell of `p`. */
static uint64_t
stamp_at(const weft_ring *r, uint64_t p)
{
    const struct weft_pair *cell = &r->cells[weft_ring_index_(r, p)];

    /* acquire: end */
    return atomic_load_explicit(&cell->stamp, memory_order_acquire);
}

bool
weft_ring_is_closed_(const weft_ring *r)
{
    if (r->impl == WEFT_LOCKFREE) {
        const uint64_t p = weft_ring_next_lockfree_(r, PUSH);
        return (stamp_at(r, p) & WEFT_RING_END_) != 0;
    }
    /* acquire: end */
    const uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    return (tail & WEFT_RING_ENDED_) != 0;
}

bool
weft_ring_is_drained_(const weft_ring *r)
{
    if (r->impl == WEFT_LOCKFREE) {
        const uint64_t p = weft_ring_next_lockfree_(r, POP);
        return stamp_at(r, p) == (weft_ring_lap_(r, p) | WEFT_RING_END_);
    }
    const uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    const uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    return tail == (head | WEFT_RING_ENDED_);
}

bool
weft_ring_is_ready_(const weft_ring *r, unsigned side)
{
    uint64_t p;

    if (r->impl == WEFT_LOCKFREE)
        p = weft_ring_next_lockfree_(r, side);
    else
        p = atomic_load_explicit(side == PUSH ? &r->tail : &r->head,
                                 memory_order_relaxed);
    const uint64_t stamp = stamp_at(r, p);
    const uint64_t mine = weft_ring_lap_(r, p) | side;
    /* Beyond: another was there meanwhile. */
    return side == PUSH ? stamp == mine : weft_ring_turn_(stamp) >= mine;
}

uint64_t
weft_ring_pushed_(const weft_ring *r, bool exactly)
{
    uint64_t p = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (r->impl == WEFT_LOCKFREE && exactly)
        p = weft_ring_next_lockfree_(r, PUSH);
    p &= ~WEFT_RING_ENDED_;
    const int k = __builtin_ctzll(r->one_lap);
    return (p >> k) * r->capacity + weft_ring_index_(r, p);
}

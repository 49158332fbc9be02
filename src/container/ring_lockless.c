/* SPDX-License-Identifier: MIT */
/*
 * container/ring_lockless.c - the fastest form, which a stopped thread can
 * hold up.
 *
 * `tail` and `head` hand out positions; the stamp of a cell says whose move it
 * is.  A call claims the next position by moving its counter with a
 * compare-and-swap, then does its move and ends it by writing the stamp:
 *
 *     push   stamp == lap | 0, counter p -> p + 1, item, stamp := lap | 1
 *     pop    stamp == lap | 1, counter p -> p + 1, item, stamp := (lap + 1) | 0
 *
 * Between the two the cell belongs to the caller alone.  If it stops there, the
 * other side finds the cell not ready and says FULL or EMPTY, although more
 * room or items may lie behind it, until the caller goes on.
 *
 * A position whose stamp is `mine` stays so until the counter moves past it, so
 * several are claimed at once: look ahead how many cells are ready, then move
 * the counter over all of them.  Counters only grow, so the compare-and-swap
 * cannot mistake a later visit for this one.
 *
 * Neither side reads the counter of the other: a full or empty ring is known
 * from the stamp, on a line that is needed anyway.
 *
 * The scheme is Vyukov's (Bounded MPMC queue, 1024cores.net, 2010).  We differ
 * in the capacity, which may be any number; in stamps that name a lap, so that
 * they start at zero and a capacity of 1 works; in the claims of several; and
 * in stepping back after a lost compare-and-swap.
 *
 * Ordering.  Two edges carry all the data.  The counters carry none and are
 * relaxed:
 *
 *     publish   push ends its move   ->  pop sees its own, reads the item
 *     vacate    pop ends its move    ->  push sees its own, writes the item
 */
#include "container/ring_impl.h"

#include "base/backoff.h"
#include "base/sched.h"

/* `side` is constant in each caller, and nothing is left of `struct place`. */
#define INLINE static inline __attribute__((always_inline))

struct place {
    uint64_t p;
    uint64_t mine; /* what the stamp is when it is the turn of the side */
    uint64_t stamp;
    struct weft_pair *cell;
};

INLINE struct place
look(const weft_ring *r, uint64_t p, unsigned side)
{
    struct place at = {.p = p, .mine = weft_ring_lap_(r, p) | side};

    at.cell = &r->cells[weft_ring_index_(r, p)];
    /* acquire: vacate (PUSH), publish (POP) */
    at.stamp = atomic_load_explicit(&at.cell->stamp, memory_order_acquire);
    return at;
}

/*
 * Claim the next position of `side`; false if it is the other side's move.
 * The caller owns the cell until it stamps it.
 */
INLINE bool
claim(const weft_ring *r, _Atomic uint64_t *counter, unsigned side,
      struct place *at)
{
    uint64_t p = atomic_load_explicit(counter, memory_order_relaxed);
    unsigned pauses = WEFT_BACKOFF_FIRST;

    for (;;) {
        *at = look(r, p, side);
        if (at->stamp < at->mine)
            return false;
        if (at->stamp == at->mine) {
            if (atomic_compare_exchange_strong_explicit(
                    counter, &p, weft_ring_advance_(r, p, 1),
                    memory_order_relaxed, memory_order_relaxed))
                return true;
            pauses = weft_backoff_(pauses);
        }
        /* Where p was stale, who moved the stamp had moved the counter. */
        p = atomic_load_explicit(counter, memory_order_relaxed);
    }
}

/* The same for up to `n` positions from `*first` on; returns how many. */
INLINE size_t
claim_n(const weft_ring *r, _Atomic uint64_t *counter, unsigned side, size_t n,
        uint64_t *first)
{
    uint64_t p = atomic_load_explicit(counter, memory_order_relaxed);
    unsigned pauses = WEFT_BACKOFF_FIRST;

    for (;;) {
        struct place at = look(r, p, side);
        size_t ready = 0;
        while (ready < n && at.stamp == at.mine) {
            ready++;
            at = look(r, weft_ring_advance_(r, at.p, 1), side);
        }
        if (ready == 0 && at.stamp < at.mine)
            return 0;
        if (ready > 0) {
            *first = p;
            if (atomic_compare_exchange_strong_explicit(counter, &p, at.p,
                                                        memory_order_relaxed,
                                                        memory_order_relaxed))
                return ready;
            pauses = weft_backoff_(pauses);
        }
        p = atomic_load_explicit(counter, memory_order_relaxed);
    }
}

INLINE void
fill(const struct place *at, void *item)
{
    atomic_store_explicit(&at->cell->item, item, memory_order_relaxed);
    /* release: publish */
    atomic_store_explicit(&at->cell->stamp, at->mine | 1, memory_order_release);
}

INLINE void *
empty(const weft_ring *r, const struct place *at)
{
    void *item = atomic_load_explicit(&at->cell->item, memory_order_relaxed);

    /* release: vacate */
    atomic_store_explicit(&at->cell->stamp,
                          weft_ring_lap_(r, at->p) + r->one_lap,
                          memory_order_release);
    return item;
}

/* The place of `side` at `p`, which it owns. */
INLINE struct place
own(const weft_ring *r, uint64_t p, unsigned side)
{
    struct place at = {.p = p, .mine = weft_ring_lap_(r, p) | side};

    at.cell = &r->cells[weft_ring_index_(r, p)];
    return at;
}

enum weft_status
weft_ring_push_lockless_(weft_ring *r, void *item)
{
    struct place at;
    if (!claim(r, &r->tail, PUSH, &at))
        return WEFT_FULL;

    WEFT_SCHED_POINT_("ring.push.claimed");
    fill(&at, item);
    return WEFT_OK;
}

enum weft_status
weft_ring_pop_lockless_(weft_ring *r, void **item)
{
    struct place at;
    if (!claim(r, &r->head, POP, &at))
        return WEFT_EMPTY;

    WEFT_SCHED_POINT_("ring.pop.claimed");
    *item = empty(r, &at);
    return WEFT_OK;
}

size_t
weft_ring_push_n_lockless_(weft_ring *r, void *const *items, size_t n)
{
    size_t done = 0;
    uint64_t p;

    while (done < n) {
        size_t end = done + claim_n(r, &r->tail, PUSH, n - done, &p);
        if (end == done)
            break;
        WEFT_SCHED_POINT_("ring.push_n.claimed");
        for (; done < end; p = weft_ring_advance_(r, p, 1)) {
            struct place at = own(r, p, PUSH);
            fill(&at, items[done++]);
        }
    }
    return done;
}

size_t
weft_ring_pop_n_lockless_(weft_ring *r, void **items, size_t n)
{
    size_t done = 0;
    uint64_t p;

    while (done < n) {
        size_t end = done + claim_n(r, &r->head, POP, n - done, &p);
        if (end == done)
            break;
        WEFT_SCHED_POINT_("ring.pop_n.claimed");
        for (; done < end; p = weft_ring_advance_(r, p, 1)) {
            struct place at = own(r, p, POP);
            items[done++] = empty(r, &at);
        }
    }
    return done;
}

size_t
weft_ring_size_lockless_(const weft_ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    return weft_ring_distance_(r, head, tail & ~WEFT_RING_ENDED_);
}

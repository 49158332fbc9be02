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

static inline struct weft_pair *
cell_at(const weft_ring *r, uint64_t p)
{
    return &r->cells[weft_ring_index_(r, p)];
}

/* How the stamp at `p` stands to the move of `side`: below, equal, above it. */
static inline int
compare(const weft_ring *r, uint64_t p, unsigned side)
{
    uint64_t mine = weft_ring_lap_(r, p) | side;
    /* acquire: vacate (PUSH), publish (POP) */
    uint64_t stamp =
        atomic_load_explicit(&cell_at(r, p)->stamp, memory_order_acquire);

    return (stamp > mine) - (stamp < mine);
}

/*
 * Claim the next positions of `side`, at most `n`, and return how many; zero
 * if it is the other side's move.  The caller owns the cells from `*first` on
 * until it stamps them.
 */
static inline uint64_t
claim(const weft_ring *r, _Atomic uint64_t *counter, unsigned side, uint64_t n,
      uint64_t *first)
{
    uint64_t p = atomic_load_explicit(counter, memory_order_relaxed);
    unsigned pauses = WEFT_BACKOFF_FIRST;

    for (;;) {
        int order = compare(r, p, side);
        if (order < 0)
            return 0;
        if (order > 0) {
            /* p is stale.  Who moved the stamp had moved the counter first. */
            p = atomic_load_explicit(counter, memory_order_relaxed);
            continue;
        }

        uint64_t ready = 1;
        uint64_t end = weft_ring_advance_(r, p, 1);
        while (ready < n && compare(r, end, side) == 0) {
            ready++;
            end = weft_ring_advance_(r, end, 1);
        }
        *first = p;
        if (atomic_compare_exchange_strong_explicit(
                counter, &p, end, memory_order_relaxed, memory_order_relaxed))
            return ready;
        pauses = weft_backoff_(pauses);
        p = atomic_load_explicit(counter, memory_order_relaxed);
    }
}

static inline void
fill(const weft_ring *r, uint64_t p, void *item)
{
    struct weft_pair *cell = cell_at(r, p);

    atomic_store_explicit(&cell->item, item, memory_order_relaxed);
    /* release: publish */
    atomic_store_explicit(&cell->stamp, weft_ring_lap_(r, p) | 1,
                          memory_order_release);
}

static inline void *
empty(const weft_ring *r, uint64_t p)
{
    struct weft_pair *cell = cell_at(r, p);
    void *item = atomic_load_explicit(&cell->item, memory_order_relaxed);

    /* release: vacate */
    atomic_store_explicit(&cell->stamp, weft_ring_lap_(r, p) + r->one_lap,
                          memory_order_release);
    return item;
}

enum weft_status
weft_ring_push_lockless_(weft_ring *r, void *item)
{
    uint64_t p;
    if (claim(r, &r->tail, PUSH, 1, &p) == 0)
        return WEFT_FULL;

    WEFT_SCHED_POINT_("ring.push.claimed");
    fill(r, p, item);
    return WEFT_OK;
}

enum weft_status
weft_ring_pop_lockless_(weft_ring *r, void **item)
{
    uint64_t p;
    if (claim(r, &r->head, POP, 1, &p) == 0)
        return WEFT_EMPTY;

    WEFT_SCHED_POINT_("ring.pop.claimed");
    *item = empty(r, p);
    return WEFT_OK;
}

size_t
weft_ring_push_n_lockless_(weft_ring *r, void *const *items, size_t n)
{
    size_t done = 0;
    uint64_t p;
    uint64_t k;

    while (done < n && (k = claim(r, &r->tail, PUSH, n - done, &p)) > 0) {
        WEFT_SCHED_POINT_("ring.push_n.claimed");
        for (; k > 0; k--) {
            fill(r, p, items[done++]);
            p = weft_ring_advance_(r, p, 1);
        }
    }
    return done;
}

size_t
weft_ring_pop_n_lockless_(weft_ring *r, void **items, size_t n)
{
    size_t done = 0;
    uint64_t p;
    uint64_t k;

    while (done < n && (k = claim(r, &r->head, POP, n - done, &p)) > 0) {
        WEFT_SCHED_POINT_("ring.pop_n.claimed");
        for (; k > 0; k--) {
            items[done++] = empty(r, p);
            p = weft_ring_advance_(r, p, 1);
        }
    }
    return done;
}

size_t
weft_ring_size_lockless_(const weft_ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    return weft_ring_distance_(r, head, tail);
}

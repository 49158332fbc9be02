/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_lockless.c - the fastest form; a stopped push can hold it up.
 *
 * The positions of both ends are counters, moved by compare-and-swap.  A push
 * claims the next position, then writes the item and the stamp:
 *
 *     push   tail p -> p + 1, item, stamp := 2l
 *     pop    stamp == 2l, item, head p -> p + 1
 *
 * A pop reads the item before it claims: the cell stays as it is until the head
 * has moved past it, and if the claim succeeds the head had not.  So a pop
 * writes no cell, can be stopped anywhere, and nobody has to know when it has
 * done with a segment.  A push that stops between its claim and its stamp holds
 * up the pops: they find the cell not ready and say EMPTY.
 *
 * A counter stops at {life, cells}; whoever comes then moves the end
 * on to the next segment and the counter to {life + 1, 0}, in this order.  So
 * the life of a counter is never ahead of that of its end, which is how segment
 * and life are read in one piece: counter, segment, life.
 *
 * Counters only grow, so a compare-and-swap that succeeds had the segment of
 * that life: a claimed cell is not done, and its segment not retired.  What a
 * stopped pop reads of a segment that serves again is thrown away, as its claim
 * fails.
 *
 * The cells are Vyukov's (Bounded MPMC queue, 1024cores.net, 2010), less the
 * stamp of a free cell, which an unbounded queue does not need.  Segments with
 * positions are also those of SegQueue (crossbeam), where each cell tells
 * who frees the segment that it has been read.
 *
 * Ordering.
 *
 *     publish   push ends its move     ->  pop sees the stamp, reads the item
 *     claim     a counter is moved     ->  who moves it on, or counts
 *     segments.go_on   an end moves on   ->  who begins in its segment
 */
#include "container/fifo_impl.h"

#include "base/backoff.h"
#include "base/sched.h"

/* `side` is constant in each caller. */
#define INLINE static inline __attribute__((always_inline))

#define BLOCK 32 /* items that pop_n reads before it claims them */

/* Where the counter `p` of `end` stands; false if that is not in its segment. */
INLINE bool
find(const weft_fifo *f, const struct weft_segments_end *end, uint64_t p,
     struct weft_segments_place *at)
{
    /* acquire: segments.go_on */
    at->s = atomic_load_explicit(&end->segment.item, memory_order_acquire);
    at->life = weft_segments_life_(p);
    at->index = weft_segments_index_(p);
    return atomic_load_explicit(&end->segment.stamp, memory_order_relaxed) ==
               at->life &&
           at->index < f->cells;
}

INLINE uint64_t
counter_of(const struct weft_segments_end *end)
{
    /* acquire: claim */
    return atomic_load_explicit(&end->position, memory_order_acquire);
}

/* Move the counter of `end` from `p` by `k`. */
INLINE bool
claim(struct weft_segments_end *end, uint64_t p, uint64_t k)
{
    /* acq_rel: claim */
    return atomic_compare_exchange_strong_explicit(
        &end->position, &p, p + k, memory_order_acq_rel, memory_order_relaxed);
}

/* The counter is beyond the cells of its life: bring end and counter on. */
static __attribute__((noinline)) bool
turn_over(weft_fifo *f, struct weft_segments_end *end)
{
    const struct weft_segments_place at = weft_segments_look_(end);
    uint64_t p = counter_of(end);

    if (weft_segments_life_(p) < at.life) {
        /* acq_rel: claim */
        atomic_compare_exchange_strong_explicit(
            &end->position, &p, weft_segments_position_(at.life, 0),
            memory_order_acq_rel, memory_order_relaxed);
        return true;
    }
    if (weft_segments_life_(p) > at.life || weft_segments_index_(p) < f->cells)
        return true; /* somebody else did it meanwhile */
    return (end == &f->list.tail
                ? weft_segments_tail_on_(&f->list, &at, NULL)
                : weft_segments_head_on_(&f->list, &at)) == WEFT_OK;
}

INLINE size_t
at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* Push up to `n` of `items` into one segment; 0: no memory, or closed. */
INLINE size_t
push_some(weft_fifo *f, void *const *items, size_t n)
{
    struct weft_segments_end *end = &f->list.tail;
    unsigned pauses = WEFT_BACKOFF_FIRST;

    for (;;) {
        uint64_t p = counter_of(end);
        struct weft_segments_place at;
        if (!find(f, end, p, &at)) {
            if ((p & WEFT_SEGMENTS_CLOSED) != 0 || !turn_over(f, end))
                return 0;
            continue;
        }
        size_t k = n == 1 ? 1 : at_most(n, f->cells - at.index);
        if (!claim(end, p, k)) {
            pauses = weft_backoff_(pauses);
            continue;
        }
        WEFT_SCHED_POINT_("fifo.push.claimed");
        struct weft_pair *cell = &at.s->cells[at.index];
        for (size_t i = 0; i < k; i++) {
            atomic_store_explicit(&cell[i].item, items[i],
                                  memory_order_relaxed);
            /* release: publish */
            atomic_store_explicit(&cell[i].stamp, 2 * at.life,
                                  memory_order_release);
        }
        return k;
    }
}

INLINE bool
is_ready(const struct weft_pair *cell, uint64_t life)
{
    /* acquire: publish */
    return atomic_load_explicit(&cell->stamp, memory_order_acquire) == 2 * life;
}

/* Pop up to `n`, at most BLOCK, from one segment; 0: empty. */
INLINE size_t
pop_some(weft_fifo *f, void **items, size_t n)
{
    struct weft_segments_end *end = &f->list.head;
    unsigned pauses = WEFT_BACKOFF_FIRST;
    void *read[BLOCK];

    for (;;) {
        uint64_t p = counter_of(end);
        struct weft_segments_place at;
        if (!find(f, end, p, &at)) {
            if (!turn_over(f, end))
                return 0;
            continue;
        }
        size_t most = n == 1 ? 1 : at_most(n, f->cells - at.index);
        struct weft_pair *cell = &at.s->cells[at.index];
        size_t k = 0;
        for (; k < most && is_ready(&cell[k], at.life); k++)
            read[k] = atomic_load_explicit(&cell[k].item, memory_order_relaxed);
        if (k == 0) {
            /* Not ready, or done by others, in this life or a later one. */
            if (counter_of(end) == p)
                return 0;
            continue;
        }
        WEFT_SCHED_POINT_("fifo.pop.not_claimed");
        if (!claim(end, p, k)) {
            pauses = weft_backoff_(pauses);
            continue;
        }
        for (size_t i = 0; i < k; i++)
            items[i] = read[i];
        return k;
    }
}

enum weft_status
weft_fifo_push_lockless_(weft_fifo *f, void *item)
{
    weft_reclaim_enter_();
    size_t done = push_some(f, &item, 1);
    weft_reclaim_leave_();
    return done == 1 ? WEFT_OK : WEFT_NO_MEMORY;
}

enum weft_status
weft_fifo_pop_lockless_(weft_fifo *f, void **item)
{
    weft_reclaim_enter_();
    size_t done = pop_some(f, item, 1);
    weft_reclaim_leave_();
    return done == 1 ? WEFT_OK : WEFT_EMPTY;
}

size_t
weft_fifo_push_n_lockless_(weft_fifo *f, void *const *items, size_t n)
{
    size_t done = 0;
    size_t some = 1;

    weft_reclaim_enter_();
    for (; done < n && some > 0; done += some)
        some = push_some(f, items + done, n - done);
    weft_reclaim_leave_();
    return done;
}

size_t
weft_fifo_pop_n_lockless_(weft_fifo *f, void **items, size_t n)
{
    size_t done = 0;
    size_t some = 1;

    weft_reclaim_enter_();
    for (; done < n && some > 0; done += some)
        some = pop_some(f, items + done, at_most(n - done, BLOCK));
    weft_reclaim_leave_();
    return done;
}

uint64_t
weft_fifo_pushed_lockless_(const weft_fifo *f)
{
    return weft_fifo_count_(f,
                            counter_of(&f->list.tail) & ~WEFT_SEGMENTS_CLOSED);
}

uint64_t
weft_fifo_popped_lockless_(const weft_fifo *f)
{
    return weft_fifo_count_(f, counter_of(&f->list.head));
}

bool
weft_fifo_is_ready_lockless_(weft_fifo *f)
{
    struct weft_segments_end *end = &f->list.head;
    bool ready = false;

    weft_reclaim_enter_();
    for (;;) {
        uint64_t p = counter_of(end);
        struct weft_segments_place at;
        if (find(f, end, p, &at)) {
            ready = is_ready(&at.s->cells[at.index], at.life);
            if (ready || counter_of(end) == p)
                break;
        } else if (!turn_over(f, end)) {
            break;
        }
    }
    weft_reclaim_leave_();
    return ready;
}

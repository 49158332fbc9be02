/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_lockfree.c - the strictly lock-free form.
 *
 * As in the ring (ring_lockfree.c), the cells alone are the queue: a push is
 * one compare-and-swap of a whole cell and so is a pop, and in between the cell
 * is always whole, so there is no step in which a stopped thread stops others.
 * In the life `l` of a segment:
 *
 *     push   {NULL, less than 2l}  ->  {item, 2l}
 *     pop    {item, 2l}            ->  {NULL, 2l + 1}
 *
 * The stamp of a free cell is that of an earlier life, or 0 in fresh memory, so
 * a segment that serves again needs no cleaning.  `position` of each end is a
 * hint where to begin, written with a plain store after the deed, perhaps late
 * and perhaps backwards.  What holds of it, and of any place at which a call
 * looks for its turn:
 *
 *     every cell before it in this life, and all of earlier lives, has been
 *     done (pushed; popped)
 *
 * since a call begins at a hint or at the first cell of the segment that
 * `segment` names, goes past a cell only when its stamp says that it has been
 * done, does only the one it stands at, and stores only the place after.  A
 * segment is appended when the last is full, and left behind by the head when
 * it has drained.  So the cells done by each side are a gapless row, and the
 * compare-and-swap is the moment at which a call takes effect:
 *
 *     pop, stamp < 2l        not pushed, all before it popped: the fifo is
 *                            empty at the load
 *     pop, no next segment   the same
 *     stamp says my turn     nothing before it is left to do
 *     stamp says done        go on
 *
 * A call that was stopped, and means a life that is over, finds stamps that are
 * higher than any it may replace, and looks again.
 *
 * Segment and life of the end are read in one piece so: the position, whose
 * life the end had come to when it was stored; the segment; the life.  If the
 * first and the last life are equal, the segment in between is of that life.
 *
 * Original in this form; the list is that of segments.c.  Tickets by
 * fetch-and-add (LCRQ: Morrison & Afek, PPoPP 2013; LPRQ: Romanov & Koval,
 * PPoPP 2023) need a second locked instruction for the cell, and poisoned
 * cells (doc/design/fifo.md).
 *
 * Ordering.  What a call has seen done, it has seen with everything before it:
 *
 *     publish   push does a cell     ->  whoever sees it; pop reads the item
 *     vacate    pop does a cell      ->  whoever sees it
 *     advance   a hint is moved      ->  a later call begins there and sees all
 *                                        before it as done
 *     segments.go_on   an end moves on   ->  who begins in its segment
 */
#include "container/fifo_impl.h"

#include "base/backoff.h"
#include "base/sched.h"

/* `side` is constant in each caller. */
#define INLINE static inline __attribute__((always_inline))

/* Cells to try one by one before a search: two lines of cells. */
#define NEAR 8

enum { PUSH, POP }; /* the sides */

enum turn { MINE, NOT_YET, DONE };

INLINE enum turn
turn_of(uint64_t stamp, uint64_t life, unsigned side)
{
    if (side == PUSH)
        return stamp < 2 * life ? MINE : DONE;
    if (stamp == 2 * life)
        return MINE;
    return stamp < 2 * life ? NOT_YET : DONE;
}

INLINE uint64_t
stamp_at(const struct weft_segments_place *at)
{
    /* acquire: publish, vacate */
    return atomic_load_explicit(&at->s->cells[at->index].stamp,
                                memory_order_acquire);
}

/*
 * Do the cell `at`, whose stamp was `stamp`: `*item` goes in or comes out.
 * False if somebody else did it first.
 */
INLINE bool
take_turn(struct weft_segments_end *end, const struct weft_segments_place *at,
          uint64_t stamp, unsigned side, void **item)
{
    struct weft_pair *cell = &at->s->cells[at->index];

    if (side == PUSH) {
        /* acq_rel: publish, vacate */
        if (!weft_pair_replace_(cell, NULL, stamp, *item, 2 * at->life,
                                memory_order_acq_rel))
            return false;
    } else {
        /* Perhaps of a later life; the swap finds out, and orders it. */
        void *oldest = atomic_load_explicit(&cell->item, memory_order_relaxed);
        /* acq_rel: vacate, publish */
        if (!weft_pair_replace_(cell, oldest, stamp, NULL, stamp + 1,
                                memory_order_acq_rel))
            return false;
        *item = oldest;
    }

    WEFT_SCHED_POINT_("fifo.done_not_told");
    /* release: advance */
    atomic_store_explicit(&end->position,
                          weft_segments_position_(at->life, at->index + 1),
                          memory_order_release);
    return true;
}

static bool
is_done(const struct weft_segments_place *at, uint64_t index, unsigned side)
{
    const struct weft_segments_place there = {at->s, at->life, index};
    const uint64_t stamp = stamp_at(&there) & ~WEFT_SEGMENTS_CLOSED;

    return turn_of(stamp, at->life, side) == DONE;
}

/*
 * Move `at`, where nothing before it is left to do, to the first cell that is
 * not done, or to the end of the segment.
 */
static void
catch_up(const weft_fifo *f, struct weft_segments_place *at, unsigned side)
{
    uint64_t low = at->index; /* all before it are done */
    uint64_t high = f->cells; /* not done, or the end */

    for (uint64_t step = 1; low + step < high; step *= 2) {
        if (!is_done(at, low + step - 1, side)) {
            high = low + step - 1;
            break;
        }
        low += step;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (is_done(at, middle, side))
            low = middle + 1;
        else
            high = middle;
    }
    at->index = low;
}

/* Where `side` has to go on: in the segment of its end, at the hint if that is
 * of its life. */
static struct weft_segments_place
look(const struct weft_segments_end *end)
{
    struct weft_segments_place at = weft_segments_look_(end);
    /* acquire: advance */
    uint64_t p = atomic_load_explicit(&end->position, memory_order_acquire);

    if (weft_segments_life_(p) == at.life)
        at.index = weft_segments_index_(p);
    return at;
}

/* As do_one, where the cell at the hint was not simply the turn of `side`. */
static __attribute__((noinline)) enum weft_status
do_one_slowly(weft_fifo *f, unsigned side, void **item, bool lost)
{
    struct weft_segments_end *end =
        side == PUSH ? &f->list.tail : &f->list.head;
    unsigned pauses = WEFT_BACKOFF_FIRST;

    for (;;) {
        if (lost)
            pauses = weft_backoff_(pauses);
        lost = false;
        struct weft_segments_place at = look(end);
        for (unsigned tries = 0; !lost; tries++) {
            if (tries == NEAR)
                catch_up(f, &at, side);
            if (at.index == f->cells)
                break;
            uint64_t stamp = stamp_at(&at);
            const bool ended = (stamp & WEFT_SEGMENTS_CLOSED) != 0;
            switch (turn_of(stamp & ~WEFT_SEGMENTS_CLOSED, at.life, side)) {
            case MINE:
                if (ended)
                    return WEFT_NO_MEMORY;
                if (take_turn(end, &at, stamp, side, item))
                    return WEFT_OK;
                lost = true;
                break;
            case NOT_YET:
                return WEFT_EMPTY;
            case DONE:
                at.index++;
                break;
            }
        }
        if (lost)
            continue;
        if ((side == PUSH ? weft_segments_tail_on_(&f->list, &at, NULL)
                          : weft_segments_head_on_(&f->list, &at)) != WEFT_OK)
            return side == PUSH ? WEFT_NO_MEMORY : WEFT_EMPTY;
    }
}

INLINE enum weft_status
do_one(weft_fifo *f, unsigned side, void **item)
{
    struct weft_segments_end *end =
        side == PUSH ? &f->list.tail : &f->list.head;
    struct weft_segments_place at;
    /* acquire: advance */
    uint64_t p = atomic_load_explicit(&end->position, memory_order_acquire);
    bool lost = false;

    /* acquire: segments.go_on */
    at.s = atomic_load_explicit(&end->segment.item, memory_order_acquire);
    at.life = weft_segments_life_(p);
    at.index = weft_segments_index_(p);
    if (atomic_load_explicit(&end->segment.stamp, memory_order_relaxed) ==
            at.life &&
        at.index < f->cells) {
        uint64_t stamp = stamp_at(&at);
        switch (turn_of(stamp, at.life, side)) {
        case MINE:
            if (take_turn(end, &at, stamp, side, item))
                return WEFT_OK;
            lost = true;
            break;
        case NOT_YET:
            return WEFT_EMPTY;
        case DONE:
            break;
        }
    }
    return do_one_slowly(f, side, item, lost);
}

enum weft_status
weft_fifo_push_lockfree_(weft_fifo *f, void *item)
{
    weft_reclaim_enter_();
    enum weft_status s = do_one(f, PUSH, &item);
    weft_reclaim_leave_();
    return s;
}

enum weft_status
weft_fifo_pop_lockfree_(weft_fifo *f, void **item)
{
    weft_reclaim_enter_();
    enum weft_status s = do_one(f, POP, item);
    weft_reclaim_leave_();
    return s;
}

size_t
weft_fifo_push_n_lockfree_(weft_fifo *f, void *const *items, size_t n)
{
    size_t done = 0;

    weft_reclaim_enter_();
    for (; done < n; done++) {
        void *item = items[done];
        if (do_one(f, PUSH, &item) != WEFT_OK)
            break;
    }
    weft_reclaim_leave_();
    return done;
}

size_t
weft_fifo_pop_n_lockfree_(weft_fifo *f, void **items, size_t n)
{
    size_t done = 0;

    weft_reclaim_enter_();
    while (done < n && do_one(f, POP, &items[done]) == WEFT_OK)
        done++;
    weft_reclaim_leave_();
    return done;
}

/* The first cell that `side` has not done; its segment may be done with. */
static struct weft_segments_place
next_of(const weft_fifo *f, const struct weft_segments_end *end, unsigned side)
{
    struct weft_segments_place at = look(end);

    if (at.index < f->cells && is_done(&at, at.index, side))
        catch_up(f, &at, side);
    return at;
}

/* How many items `side` has done. */
static uint64_t
done_by(const weft_fifo *f, const struct weft_segments_end *end, unsigned side)
{
    weft_reclaim_enter_();
    const struct weft_segments_place at = next_of(f, end, side);
    weft_reclaim_leave_();
    return weft_fifo_count_(f, weft_segments_position_(at.life, at.index));
}

uint64_t
weft_fifo_pushed_lockfree_(const weft_fifo *f)
{
    return done_by(f, &f->list.tail, PUSH);
}

uint64_t
weft_fifo_popped_lockfree_(const weft_fifo *f)
{
    return done_by(f, &f->list.head, POP);
}

void
weft_fifo_close_lockfree_(weft_fifo *f)
{
    bool done = false;

    weft_reclaim_enter_();
    while (!done) {
        const struct weft_segments_place at = next_of(f, &f->list.tail, PUSH);
        if (at.index == f->cells) {
            done = weft_segments_end_list_(&f->list, &at);
            continue;
        }
        const uint64_t stamp = stamp_at(&at);
        done = (stamp & WEFT_SEGMENTS_CLOSED) != 0;
        if (!done && turn_of(stamp, at.life, PUSH) == MINE)
            /* acq_rel: publish, vacate */
            done = weft_pair_replace_(&at.s->cells[at.index], NULL, stamp, NULL,
                                      stamp | WEFT_SEGMENTS_CLOSED,
                                      memory_order_acq_rel);
    }
    weft_reclaim_leave_();
}

/* Whether no item will ever be at `at`, which is not done. */
static bool
is_end(weft_fifo *f, const struct weft_segments_place *at)
{
    return at->index == f->cells ? weft_segments_is_end_(at)
                                 : (stamp_at(at) & WEFT_SEGMENTS_CLOSED) != 0;
}

bool
weft_fifo_is_closed_lockfree_(weft_fifo *f)
{
    weft_reclaim_enter_();
    const struct weft_segments_place at = next_of(f, &f->list.tail, PUSH);
    const bool is = is_end(f, &at);
    weft_reclaim_leave_();
    return is;
}

/* Where a pop stands, which has gone on to the next segment if need be. */
static struct weft_segments_place
pop_place(weft_fifo *f)
{
    struct weft_segments_place at = next_of(f, &f->list.head, POP);

    while (at.index == f->cells &&
           weft_segments_head_on_(&f->list, &at) == WEFT_OK)
        at = next_of(f, &f->list.head, POP);
    return at;
}

bool
weft_fifo_is_drained_lockfree_(weft_fifo *f)
{
    weft_reclaim_enter_();
    const struct weft_segments_place at = pop_place(f);
    const bool is = is_end(f, &at);
    weft_reclaim_leave_();
    return is;
}

bool
weft_fifo_is_ready_lockfree_(weft_fifo *f)
{
    weft_reclaim_enter_();
    const struct weft_segments_place at = pop_place(f);
    const bool is =
        at.index < f->cells &&
        turn_of(stamp_at(&at) & ~WEFT_SEGMENTS_CLOSED, at.life, POP) != NOT_YET;
    weft_reclaim_leave_();
    return is;
}

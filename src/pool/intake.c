/* SPDX-License-Identifier: MIT */
/*
 * intake.c - cells that hold a whole job each, in the list of segments of
 * container/segments.h.
 *
 * A cell, low half and high half:
 *
 *     {life, 0}       free; {0, 0} in fresh memory, whatever the life
 *     {arg, fn}       a job                       by a put, from free
 *     {any, CLOSED}   no job will be here         by a close, from free
 *
 * Both are one compare-and-swap of the whole cell, so that a cell is always
 * whole and there is no step in which a stopped thread stops others.  A put does
 * the first cell that is free: it begins at the hint `position` of the tail, or
 * at the first cell, and goes past a cell only when that is no longer free.  So
 * the jobs are a gapless row, and the hint, a plain store that may be late and
 * backwards, only says where to begin.
 *
 * `position` of the head is no hint but the place of the oldest job.  A take
 * reads the cell there and moves the position by a compare-and-swap: if it is
 * what it was, nobody has taken the cell and what was read is the job.  So a
 * take writes to no cell, and the line that the puts write to is fetched by the
 * takers only to be read.
 *
 * A segment whose jobs are taken serves again at once, under a new life, a
 * number that is never used again, while stopped threads may still look at it:
 *
 *     a put that means the old life    expects the old life in a free cell
 *     a take                           finds that the position has changed
 *     an append                        finds another life in `next`
 *
 * Who appends it cleans it before, with its new life in every cell.  {0, 0}
 * cannot be mistaken: memory has one first life only.  The position of the head,
 * which is exact, moves on after its segment.
 *
 * Ordering.
 *
 *     publish    a put does a cell  ->  the take of it
 *     advance    a hint is moved    ->  a later put begins there
 *     free       a segment is cleaned    ->  who finds its cells free
 *     vacate     a take moves the position   ->  a take after it; who uses the
 *                                                segment again
 *     segments.go_on   an end moves on   ->  who begins there
 */
#include "pool/intake.h"

#include "base/sched.h"

#define FIRST_LIFE 1

/* In the place of a function: no job yet, and never one. */
enum { FREE, CLOSED };

uint64_t weft_intake_cells_ = WEFT_SEGMENT_CELLS;

/* --- puts ------------------------------------------------------------------ */

static uint64_t
hint(const struct weft_intake *q)
{
    /* acquire: advance */
    return atomic_load_explicit(&q->list.tail.position, memory_order_acquire);
}

/* Where a put begins: all before it is done. */
static struct weft_segments_place
put_place(const struct weft_intake *q)
{
    const uint64_t p = hint(q);
    struct weft_segments_place at = weft_segments_look_(&q->list.tail);

    if (weft_segments_life_(p) == at.life)
        at.index = weft_segments_index_(p);
    return at;
}

/* The function in the first cell from `at` on that holds no job, and `at` is
 * there; else `at` is behind the last. */
static uint64_t
first_without_job(struct weft_segments_place *at)
{
    for (; at->index < weft_intake_cells_; at->index++) {
        /* acquire: publish, free */
        const uint64_t fn = atomic_load_explicit(&at->s->cells[at->index].stamp,
                                                 memory_order_acquire);
        if (fn <= CLOSED)
            return fn;
    }
    return FREE;
}

/* Fill `cell` if it is free in this life; false: it is not. */
static bool
fill(struct weft_pair *cell, uint64_t life, void *arg, uint64_t fn)
{
    WEFT_SCHED_POINT_("pool.put.has_place");
    void *seen = atomic_load_explicit(&cell->item, memory_order_relaxed);

    /* acq_rel: publish */
    return (seen == NULL || (uintptr_t)seen == life) &&
           weft_pair_replace_(cell, seen, FREE, arg, fn, memory_order_acq_rel);
}

/* The next put begins behind `at`, which this one has done. */
static void
advance(struct weft_intake *q, uint64_t life, uint64_t index)
{
    WEFT_SCHED_POINT_("pool.put.done_not_told");
    /* release: advance */
    atomic_store_explicit(&q->list.tail.position,
                          weft_segments_position_(life, index + 1),
                          memory_order_release);
}

/* The cell at the hint, if it is free; false: put_slowly. */
static bool
put_at_hint(struct weft_intake *q, struct weft_job_ job)
{
    const uint64_t p = hint(q);
    const uint64_t life = weft_segments_life_(p);
    const uint64_t index = weft_segments_index_(p);
    /* acquire: segments.go_on */
    struct weft_segment *s =
        atomic_load_explicit(&q->list.tail.segment.item, memory_order_acquire);

    if (atomic_load_explicit(&q->list.tail.segment.stamp,
                             memory_order_relaxed) != life ||
        index == weft_intake_cells_ ||
        !fill(&s->cells[index], life, job.arg, (uintptr_t)job.fn))
        return false;
    advance(q, life, index);
    return true;
}

/* Make every cell free again.  The low half first: so no cell is ever free with
 * another life than the new one. */
static void
clean(struct weft_segment *s, uint64_t life)
{
    for (uint64_t i = 0; i < weft_intake_cells_; i++) {
        atomic_store_explicit(&s->cells[i].item, (void *)(uintptr_t)life,
                              memory_order_relaxed);
        /* release: free */
        atomic_store_explicit(&s->cells[i].stamp, FREE, memory_order_release);
    }
}

static __attribute__((noinline)) enum weft_status
put_slowly(struct weft_intake *q, struct weft_job_ job)
{
    for (;;) {
        struct weft_segments_place at = put_place(q);
        if (first_without_job(&at) == CLOSED)
            return WEFT_CLOSED;
        if (at.index == weft_intake_cells_) {
            const enum weft_status s =
                weft_segments_tail_on_(&q->list, &at, clean);
            if (s != WEFT_OK)
                return s;
        } else if (fill(&at.s->cells[at.index], at.life, job.arg,
                        (uintptr_t)job.fn)) {
            advance(q, at.life, at.index);
            return WEFT_OK;
        }
    }
}

enum weft_status
weft_intake_put_(struct weft_intake *q, struct weft_job_ job)
{
    weft_reclaim_enter_();
    const enum weft_status s =
        put_at_hint(q, job) ? WEFT_OK : put_slowly(q, job);
    weft_reclaim_leave_();
    return s;
}

/* Whether it is closed now. */
static bool
try_close(struct weft_intake *q)
{
    struct weft_segments_place at = put_place(q);

    if (first_without_job(&at) == CLOSED)
        return true;
    if (at.index == weft_intake_cells_)
        return weft_segments_end_list_(&q->list, &at);
    return fill(&at.s->cells[at.index], at.life, NULL, CLOSED);
}

void
weft_intake_close_(struct weft_intake *q)
{
    weft_reclaim_enter_();
    while (!try_close(q))
        ;
    weft_reclaim_leave_();
}

/* --- takes ----------------------------------------------------------------- */

/* What a take finds. */
enum found {
    NOTHING,
    NEVER, /* and nothing will come */
    JOB
};

/* The position of the head is `p`, behind the last cell: go on to the next
 * segment.  JOB: look again. */
static enum found
head_on(struct weft_intake *q, uint64_t p)
{
    const struct weft_segments_place at = weft_segments_look_(&q->list.head);

    WEFT_SCHED_POINT_("pool.take.has_oldest");
    if (at.life == weft_segments_life_(p)) {
        const enum weft_status s = weft_segments_head_on_(&q->list, &at);
        if (s != WEFT_OK)
            return s == WEFT_CLOSED ? NEVER : NOTHING;
    }
    /* acq_rel: vacate */
    (void)atomic_compare_exchange_strong_explicit(
        &q->list.head.position, &p,
        weft_segments_position_(weft_segments_life_(p) + 1, 0),
        memory_order_acq_rel, memory_order_relaxed);
    return JOB;
}

/*
 * What is at the head, of which *position is the position: a JOB, if that is
 * still the same when the caller looks again; NOTHING; or NEVER anything.
 */
static enum found
find(struct weft_intake *q, uint64_t *position, struct weft_job_ *job)
{
    for (;;) {
        /* acquire: vacate */
        const uint64_t p =
            atomic_load_explicit(&q->list.head.position, memory_order_acquire);
        WEFT_SCHED_POINT_("pool.take.has_position");
        if (weft_segments_index_(p) == weft_intake_cells_) {
            const enum found f = head_on(q, p);
            if (f != JOB)
                return f;
            continue;
        }
        /* If it is another one by now, the position has moved before. */
        /* acquire: segments.go_on */
        struct weft_segment *s = atomic_load_explicit(
            &q->list.head.segment.item, memory_order_acquire);
        WEFT_SCHED_POINT_("pool.take.has_place");
        struct weft_pair *cell = &s->cells[weft_segments_index_(p)];
        /* acquire: publish */
        const uint64_t fn =
            atomic_load_explicit(&cell->stamp, memory_order_acquire);
        /* acquire: publish (of the low half, see base/pair.h) */
        job->arg = atomic_load_explicit(&cell->item, memory_order_acquire);
        job->fn = (weft_fn *)(uintptr_t)fn;
        *position = p;
        if (fn > CLOSED)
            return JOB;
        if (atomic_load_explicit(&q->list.head.position,
                                 memory_order_relaxed) == p)
            return fn == CLOSED ? NEVER : NOTHING;
    }
}

bool
weft_intake_take_(struct weft_intake *q, struct weft_job_ *job)
{
    uint64_t p;
    bool done = false;

    weft_reclaim_enter_();
    while (!done && find(q, &p, job) == JOB)
        /* acq_rel: vacate */
        done = atomic_compare_exchange_strong_explicit(
            &q->list.head.position, &p, p + 1, memory_order_acq_rel,
            memory_order_relaxed);
    weft_reclaim_leave_();
    return done;
}

static enum found
find_now(struct weft_intake *q)
{
    struct weft_job_ job;
    uint64_t p;

    weft_reclaim_enter_();
    const enum found f = find(q, &p, &job);
    weft_reclaim_leave_();
    return f;
}

bool
weft_intake_is_drained_(struct weft_intake *q)
{
    return find_now(q) == NEVER;
}

bool
weft_intake_is_ready_(struct weft_intake *q)
{
    return find_now(q) == JOB;
}

size_t
weft_intake_size_(struct weft_intake *q)
{
    const uint64_t p =
        atomic_load_explicit(&q->list.head.position, memory_order_relaxed);

    weft_reclaim_enter_();
    struct weft_segments_place at = put_place(q);
    (void)first_without_job(&at);
    weft_reclaim_leave_();
    /* A segment that serves again meanwhile may look as if it had fewer. */
    const uint64_t before =
        weft_segments_life_(p) * weft_intake_cells_ + weft_segments_index_(p);
    const uint64_t all = at.life * weft_intake_cells_ + at.index;
    return all > before ? (size_t)(all - before) : 0;
}

enum weft_status
weft_intake_init_(struct weft_intake *q)
{
    return weft_segments_init_(&q->list, FIRST_LIFE) ? WEFT_OK : WEFT_NO_MEMORY;
}

void
weft_intake_fini_(struct weft_intake *q)
{
    weft_segments_fini_(&q->list);
}

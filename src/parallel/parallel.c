/* SPDX-License-Identifier: MIT */
/*
 * parallel.c - loops.
 *
 * A range is halved until it is small: the second half is forked, the first one
 * gone on with, and the second one too if nobody has taken it.  A fork that
 * nobody takes costs a few nanoseconds, and a thief takes the oldest, which is
 * the largest.
 *
 * What is small, a pace finds out where the user does not say: parts are
 * doubled while they take less than WEFT_PART_NS, and halved when they take far
 * longer.  Each thread has a pace of its own, which begins with that of whoever
 * forked its part; so a range whose end is a thousand times as dear as its
 * beginning is split finely there.  With one worker there is nobody to split
 * for.
 *
 * A loop that is over sooner than another thread could be woken is not for
 * others.  So where there are many numbers the caller begins itself, with one,
 * then eight, until it has a pace (weft_loop_probe_), and forks only then.  The
 * last part of a loop is not timed.
 *
 * The clock costs more than a fork.  Where parts have a fixed size and are short,
 * only some of them are timed.
 *
 * Others see a fork only at the next fork or join of its thread (strand.c).  So
 * before a part that may take long, all that is forked is published.
 *
 * A function that is called in a part may begin a loop of its own: its strand is
 * noted while it runs, so that the loop forks from there.
 *
 * Ordering.  The forks and joins order all.
 */
#include <weft/parallel.h>

#include "base/deadline.h"
#include "base/fail.h"
#include "parallel/parallel.h"

/* With one worker a probe grows so fast: whatever it gets wrong, nobody else
 * would have shared it. */
#define ALONE_FACTOR 64

void
weft_part_begin_(struct weft_part_ *part, weft_strand s,
                 const struct weft_pace_ *pace)
{
    struct weft_frame *below = weft_here_.frame;

    part->frame =
        (struct weft_frame){below, below != NULL ? below->future : NULL, s};
    weft_here_.frame = &part->frame;
    if (pace->slow)
        weft_strand_publish_(s);
    part->start = pace->now;
    if (part->start == 0 && pace->unseen == 0)
        part->start = weft_clock_ns_();
}

void
weft_part_end_(struct weft_part_ *part, size_t n, struct weft_pace_ *pace)
{
    weft_here_.frame = part->frame.below;
    if (part->start == 0) {
        pace->unseen--;
        return;
    }
    const int64_t now = weft_clock_ns_();
    const int64_t span = now - part->start;
    pace->slow = span >= WEFT_PART_LONG_NS;
    if (pace->now != 0)
        pace->now = now;
    if (pace->fixed)
        pace->unseen = pace->slow ? 0 : WEFT_PARTS_UNSEEN - 1;
    else if (span > 2 * WEFT_PART_NS && pace->grain > 1)
        pace->grain /= 2;
    else if (span < WEFT_PART_NS / 2 && n > pace->grain / 2 &&
             pace->grain <= SIZE_MAX / 8)
        pace->grain *= span < WEFT_PART_NS / 16 ? 8 : 2;
}

/* A part that is forked. */
struct part {
    weft_task task;
    struct weft_loop_ *loop;
    size_t begin;
    size_t end;
    struct weft_pace_ pace;
};

static void
run_small(weft_strand s, const struct part *x, struct weft_pace_ *pace)
{
    struct weft_part_ part;

    weft_part_begin_(&part, s, pace);
    x->loop->run(x->loop, x->begin, x->end);
    weft_part_end_(&part, x->end - x->begin, pace);
}

static void run_part(weft_strand s, weft_task *t);

static void
split(weft_strand s, const struct part *x, struct weft_pace_ *pace)
{
    if (x->end - x->begin <= pace->grain) {
        run_small(s, x, pace);
        return;
    }
    const size_t middle = x->begin + (x->end - x->begin) / 2;
    const struct part first = {
        .loop = x->loop, .begin = x->begin, .end = middle};
    struct part second = {
        .loop = x->loop, .begin = middle, .end = x->end, .pace = *pace};

    weft_fork(&s, &second.task, run_part);
    split(s, &first, pace);
    if (weft_reclaim(&s, &second.task))
        split(s, &second, pace);
}

static void
run_part(weft_strand s, weft_task *t)
{
    const struct part *x = (const struct part *)t;
    struct weft_pace_ pace = x->pace;

    split(s, x, &pace);
}

/* Whether the calling thread may call the functions, and there are enough
 * numbers that the time of one does not matter. */
static bool
may_probe(const weft_pool *p, size_t n)
{
    if (n / WEFT_PROBE_LEAST < weft_pool_workers(p))
        return false;
    if (weft_here_.lane != NULL && weft_here_.lane->pool == p)
        return true;
    return p->initializer == NULL && weft_pool_refusal_(p) == WEFT_OK;
}

size_t
weft_loop_probe_(weft_pool *p, struct weft_loop_ *l, size_t begin, size_t end,
                 size_t grain, struct weft_pace_ *pace)
{
    const bool alone = weft_pool_workers(p) == 1;
    const size_t n = end - begin;
    size_t before = 0;

    *pace = (struct weft_pace_){
        .grain = grain != 0 ? grain : 1, .fixed = grain != 0, .slow = true};
    if (grain == 0 && may_probe(p, n)) {
        const weft_strand s = weft_here_.lane != NULL
                                  ? weft_worker_strand_()
                                  : weft_strand_without_deque_();
        pace->slow = false;
        pace->now = weft_clock_ns_();
        while (begin < end && pace->grain > before) {
            before = pace->grain;
            struct part x = {.loop = l, .begin = begin, .end = end};
            if (end - begin > before) {
                x.end = begin + before;
            } else { /* nobody wants to know how long it takes */
                pace->now = 0;
                pace->unseen = 1;
            }
            run_small(s, &x, pace);
            begin = x.end;
            if (alone && pace->grain > before)
                pace->grain =
                    before < n / ALONE_FACTOR ? before * ALONE_FACTOR : n;
        }
    }
    pace->now = 0;
    if (grain == 0 && alone)
        *pace = (struct weft_pace_){.grain = SIZE_MAX, .fixed = true};
    return begin;
}

enum weft_status
weft_loop_run_(weft_pool *p, struct weft_loop_ *l, size_t begin, size_t end,
               size_t grain)
{
    const weft_error saved = weft_fail_save_();
    struct part all = {.loop = l, .end = end};
    enum weft_status s = WEFT_OK;

    all.begin = weft_loop_probe_(p, l, begin, end, grain, &all.pace);
    if (all.begin != end)
        s = weft_pool_run(p, &all.task, run_part);
    if (s != WEFT_OK && all.begin != begin) {
        l->run(l, all.begin, end); /* it has begun, so it is done here */
        s = WEFT_OK;
    }
    weft_fail_restore_(saved);
    return s;
}

struct range_loop {
    struct weft_loop_ loop; /* the first */
    weft_range_fn *fn;
    void *ctx;
};

static void
run_range(struct weft_loop_ *l, size_t begin, size_t end)
{
    const struct range_loop *loop = (const struct range_loop *)l;

    loop->fn(begin, end, loop->ctx);
}

enum weft_status
weft_parallel_for(weft_pool *p, size_t begin, size_t end, size_t grain,
                  weft_range_fn *fn, void *ctx)
{
    struct range_loop loop = {{run_range}, fn, ctx};

    if (fn == NULL)
        return WEFT_INVALID;
    if (begin >= end)
        return WEFT_OK;
    return weft_loop_run_(p, &loop.loop, begin, end, grain);
}

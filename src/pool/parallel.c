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
#include "pool/parallel.h"

struct weft_pace_
weft_pace_begin_(const weft_pool *p, size_t grain)
{
    if (grain != 0)
        return (struct weft_pace_){grain, true, true};
    if (weft_pool_workers(p) == 1)
        return (struct weft_pace_){SIZE_MAX, true, true};
    return (struct weft_pace_){1, false, true};
}

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
    part->start = weft_clock_ns_();
}

void
weft_part_end_(struct weft_part_ *part, size_t n, struct weft_pace_ *pace)
{
    const int64_t span = weft_clock_ns_() - part->start;

    weft_here_.frame = part->frame.below;
    pace->slow = span >= WEFT_PART_LONG_NS;
    if (pace->fixed)
        return;
    if (span > 2 * WEFT_PART_NS && pace->grain > 1)
        pace->grain /= 2;
    else if (span < WEFT_PART_NS / 2 && n > pace->grain / 2 &&
             pace->grain <= SIZE_MAX / 2)
        pace->grain *= 2;
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

enum weft_status
weft_loop_run_(weft_pool *p, struct weft_loop_ *l, size_t begin, size_t end,
               size_t grain)
{
    struct part all = {.loop = l,
                       .begin = begin,
                       .end = end,
                       .pace = weft_pace_begin_(p, grain)};
    const weft_error saved = weft_fail_save_();
    const enum weft_status s = weft_pool_run(p, &all.task, run_part);

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

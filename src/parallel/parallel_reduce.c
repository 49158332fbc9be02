/* SPDX-License-Identifier: MIT */
/*
 * parallel_reduce.c - bringing what is in a range together.
 *
 * A range is halved as a loop's is (parallel.c).  The first half is added to
 * the accumulator at hand, and so is the second one if nobody has taken it.
 * Only who takes one needs an accumulator of its own, which the join combines.
 * Without memory for it a thief leaves its part as it is, and the join adds it
 * itself; so nothing can fail once it has begun.
 *
 * Ordering.  The forks and joins order all.
 */
#include <weft/parallel.h>

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "parallel/parallel.h"

/* An accumulator of so much needs no allocation [bytes]. */
#define ROOM 64

struct room {
    _Alignas(max_align_t) unsigned char bytes[ROOM];
};

struct reduction {
    size_t bytes;
    const void *neutral;
    void (*fold)(void *into, size_t begin, size_t end, void *ctx);
    void (*combine)(void *into, const void *from, void *ctx);
    void *ctx;
};

/* A part of it, and where what it adds up to goes. */
struct part {
    weft_task task;
    const struct reduction *reduction;
    size_t begin;
    size_t end;
    struct weft_pace_ pace;
    void *own; /* a thief's; NULL: the part was not done */
    struct room room;
};

static void *
new_accumulator(const struct reduction *r, struct room *room)
{
    void *at = r->bytes <= ROOM ? room->bytes : malloc(r->bytes);

    if (at != NULL)
        memcpy(at, r->neutral, r->bytes);
    return at;
}

static void
free_accumulator(void *at, const struct room *room)
{
    if (at != room->bytes)
        free(at);
}

static void
fold_small(weft_strand s, const struct reduction *r, size_t begin, size_t end,
           struct weft_pace_ *pace, void *into)
{
    struct weft_part_ part;

    weft_part_begin_(&part, s, pace);
    r->fold(into, begin, end, r->ctx);
    weft_part_end_(&part, end - begin, pace);
}

static void run_part(weft_strand s, weft_task *t);

static void
fold(weft_strand s, const struct reduction *r, size_t begin, size_t end,
     struct weft_pace_ *pace, void *into)
{
    if (end - begin <= pace->grain) {
        fold_small(s, r, begin, end, pace, into);
        return;
    }
    const size_t middle = begin + (end - begin) / 2;
    struct part second;

    second.reduction = r;
    second.begin = middle;
    second.end = end;
    second.pace = *pace;
    weft_fork(&s, &second.task, run_part);
    fold(s, r, begin, middle, pace, into);
    if (weft_reclaim(&s, &second.task) || second.own == NULL) {
        fold(s, r, middle, end, pace, into);
        return;
    }
    r->combine(into, second.own, r->ctx);
    free_accumulator(second.own, &second.room);
}

/* A thief has taken it. */
static void
run_part(weft_strand s, weft_task *t)
{
    struct part *x = (struct part *)t;
    struct weft_pace_ pace = x->pace;

    x->own = new_accumulator(x->reduction, &x->room);
    if (x->own != NULL)
        fold(s, x->reduction, x->begin, x->end, &pace, x->own);
}

/* The whole: its accumulator is the caller's result. */
static void
run_whole(weft_strand s, weft_task *t)
{
    struct part *x = (struct part *)t;
    struct weft_pace_ pace = x->pace;

    fold(s, x->reduction, x->begin, x->end, &pace, x->own);
}

/* What the caller does itself goes into the result. */
struct probe {
    struct weft_loop_ loop; /* the first */
    const struct reduction *reduction;
    void *into;
};

static void
fold_probe(struct weft_loop_ *l, size_t begin, size_t end)
{
    const struct probe *x = (const struct probe *)l;

    x->reduction->fold(x->into, begin, end, x->reduction->ctx);
}

enum weft_status
weft_parallel_reduce(weft_pool *p, size_t begin, size_t end, size_t grain,
                     size_t bytes, void *result,
                     void (*fold_fn)(void *into, size_t begin, size_t end,
                                     void *ctx),
                     void (*combine)(void *into, const void *from, void *ctx),
                     void *ctx)
{
    struct reduction r = {bytes, result, fold_fn, combine, ctx};
    struct room room;

    if (result == NULL || fold_fn == NULL || combine == NULL || bytes == 0)
        return WEFT_INVALID;
    if (begin >= end)
        return WEFT_OK;
    void *neutral = new_accumulator(&r, &room);
    if (neutral == NULL)
        return WEFT_NO_MEMORY;
    r.neutral = neutral;
    const weft_error saved = weft_fail_save_();
    struct probe probe = {{fold_probe}, &r, result};
    struct part all = {.reduction = &r, .end = end, .own = result};
    enum weft_status s = WEFT_OK;
    all.begin = weft_loop_probe_(p, &probe.loop, begin, end, grain, &all.pace);
    if (all.begin != end)
        s = weft_pool_run(p, &all.task, run_whole);
    if (s != WEFT_OK && all.begin != begin) {
        fold_fn(result, all.begin, end, ctx); /* as in weft_loop_run_ */
        s = WEFT_OK;
    }
    weft_fail_restore_(saved);
    free_accumulator(neutral, &room);
    return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * sync_once.c - once: all run it, its function fails a few times and then
 * succeeds; one is in the function at a time, exactly one succeeds, and whoever
 * is told that it is done sees what that one did.
 */
#include <weft/once.h>

#include <string.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

#define FAILS_MOST 5

enum { DONE, FAILED };

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    alignas(128) _Atomic unsigned inside;
    _Atomic unsigned fails_left;
    _Atomic unsigned successes;
    uint64_t result; /* what the function leaves for all */
    uint64_t round;
    bool over;
    struct soak_meeting meeting;
};

/* What the function does it does for the thread that calls it. */
struct caller {
    struct soak_hand *h;
    bool called;
};

static enum weft_status
fn(void *ctx)
{
    struct caller *c = ctx;
    struct soak_hand *h = c->h;
    struct state *s = h->state;
    bool fails = false;

    c->called = true;
    if (atomic_fetch_add_explicit(&s->inside, 1, memory_order_relaxed) != 0)
        soak_fault(h->run, "two threads were in the function");
    soak_pause(h);
    if (atomic_load_explicit(&s->fails_left, memory_order_relaxed) > 0) {
        atomic_fetch_sub_explicit(&s->fails_left, 1, memory_order_relaxed);
        fails = true;
    } else {
        atomic_fetch_add_explicit(&s->successes, 1, memory_order_relaxed);
        if (!h->run->subject->broken)
            s->result = s->round;
    }
    atomic_fetch_sub_explicit(&s->inside, 1, memory_order_relaxed);
    return fails ? WEFT_FAILED : WEFT_OK;
}

/* Run it until it is done. */
static void
run_it(struct soak_hand *h, struct state *s, const struct soak_once_ops *ops)
{
    enum weft_status status;

    do {
        struct caller c = {.h = h};
        soak_at(h, "run");
        status = ops->run(s->object, fn, &c);
        if (status == WEFT_FAILED && c.called)
            h->tally[FAILED]++;
        else if (status != WEFT_OK)
            soak_fault(h->run, "run returned %s%s", weft_status_name(status),
                       c.called ? "" : ", and called nothing");
    } while (status != WEFT_OK && !soak_has_failed(h));
    h->tally[DONE]++;
    const unsigned successes =
        atomic_load_explicit(&s->successes, memory_order_relaxed);
    if (successes != 1)
        soak_fault(h->run, "it is done, and %u have done it", successes);
    else if (!h->run->subject->broken && s->result != s->round)
        soak_fault(h->run, "it is done, and thread %u does not see it",
                   h->index);
}

/* What the first thread does between two rounds, the others waiting. */
static void
prepare(struct soak_hand *h, struct state *s)
{
    s->round++;
    s->over = !soak_goes_on(h);
    memset(s->object, 0, sizeof(s->object));
    atomic_store_explicit(&s->fails_left, soak_below(h, FAILS_MOST),
                          memory_order_relaxed);
    atomic_store_explicit(&s->successes, 0, memory_order_relaxed);
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;

    for (;; soak_turn(h)) {
        if (h->index == 0)
            prepare(h, s);
        soak_at(h, "the start of a round");
        if (!soak_meet(h, &s->meeting) || s->over)
            return;
        soak_pause(h);
        run_it(h, s, h->run->subject->ops);
        soak_at(h, "the end of a round");
        if (!soak_meet(h, &s->meeting))
            return;
    }
}

static bool
open_state(struct soak_run *run, void *state)
{
    struct state *s = state;

    (void)run;
    soak_meeting_init(&s->meeting);
    return true;
}

static enum weft_status
run(void *o, enum weft_status (*f)(void *ctx), void *ctx)
{
    return weft_once_run(o, f, ctx);
}

static const struct soak_once_ops ops = {run};

const struct soak_subject soak_once = {
    .name = "once",
    .tallies = {"done", "failed"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .open = open_state,
    .body = body,
};

/* SPDX-License-Identifier: MIT */
/*
 * sync_timer.c - timers: each runs once and not before its time, one after
 * another; one that is cancelled never runs.
 *
 * Ordering.  Beside what a join gives, of a timer that nobody joins:
 *
 *     fire   it has run  ->  its item is used again
 */
#include <weft/timer.h>

#include <unistd.h>

#include "progress.h"
#include "soak/sync.h"
#include "soak/sync_ops.h"

#define BATCH   8
#define MOST_US 300
#define LOOK_US 50

enum { RAN, CANCELLED };

struct item {
    struct soak_hand *h;
    void *timer; /* NULL: released */
    weft_deadline when;
    _Atomic unsigned ran;
    _Atomic bool cancelled;
};

struct state {
    alignas(128) _Atomic unsigned inside;
    struct item items[SOAK_THREADS_MAX][BATCH];
};

static void
fire(void *arg)
{
    struct item *i = arg;
    struct soak_run *run = i->h->run;
    struct state *s = i->h->state;

    if (atomic_fetch_add_explicit(&s->inside, 1, memory_order_relaxed) != 0)
        soak_fault(run, "two timers ran at once");
    if (clock_ns() < i->when)
        soak_fault(run, "a timer ran before its time");
    if (atomic_load_explicit(&i->cancelled, memory_order_relaxed))
        soak_fault(run, "a cancelled timer ran");
    atomic_fetch_sub_explicit(&s->inside, 1, memory_order_relaxed);
    /* release: fire.  The item may be used again. */
    if (atomic_fetch_add_explicit(&i->ran, 1, memory_order_release) != 0)
        soak_fault(run, "a timer ran twice");
}

static void
start(struct soak_hand *h, struct item *i, const struct soak_timer_ops *ops)
{
    i->h = h;
    i->when = weft_in_us(soak_below(h, MOST_US));
    atomic_store_explicit(&i->ran, 0, memory_order_relaxed);
    atomic_store_explicit(&i->cancelled, false, memory_order_relaxed);
    soak_at(h, "start");
    const enum weft_status status = ops->start(&i->timer, i->when, fire, i);
    if (status != WEFT_OK)
        soak_fault(h->run, "start returned %s", weft_status_name(status));
}

/* Wait for its end by joining it, or by looking. */
static void
see_end(struct soak_hand *h, struct item *i, const struct soak_timer_ops *ops)
{
    enum weft_status status = WEFT_TIMEOUT;

    soak_at(h, "join");
    if (i->timer == NULL) {
        /* acquire: fire */
        while (atomic_load_explicit(&i->ran, memory_order_acquire) == 0 &&
               !soak_has_failed(h))
            usleep(LOOK_US);
        return;
    }
    while (status == WEFT_TIMEOUT && !soak_has_failed(h)) {
        const weft_deadline deadline = soak_deadline(h);
        status = ops->join(i->timer, deadline);
        if (status == WEFT_TIMEOUT)
            soak_timed_out(h, deadline);
    }
    const bool cancelled =
        atomic_load_explicit(&i->cancelled, memory_order_relaxed);
    const unsigned ran = atomic_load_explicit(&i->ran, memory_order_relaxed);
    if (status != (cancelled ? WEFT_CANCELLED : WEFT_OK) ||
        ran != (cancelled ? 0 : 1))
        soak_fault(h->run,
                   "join of one that was %scancelled and ran %u times "
                   "returned %s",
                   cancelled ? "" : "not ", ran, weft_status_name(status));
    ops->release(i->timer);
}

/* Cancel it, or let it run, and perhaps forget it. */
static void
decide(struct soak_hand *h, struct item *i, const struct soak_timer_ops *ops)
{
    soak_pause(h);
    if (soak_one_in(h, 2) && ops->cancel(i->timer)) {
        atomic_store_explicit(&i->cancelled, true, memory_order_relaxed);
        h->tally[CANCELLED]++;
        return;
    }
    h->tally[RAN]++;
    if (soak_one_in(h, 4)) {
        ops->release(i->timer);
        i->timer = NULL;
    }
}

static void
body(struct soak_hand *h)
{
    struct item *items = ((struct state *)h->state)->items[h->index];
    const struct soak_timer_ops *ops = h->run->subject->ops;

    for (; soak_goes_on(h); soak_turn(h)) {
        const unsigned n = 1 + soak_below(h, BATCH);
        for (unsigned k = 0; k < n && !soak_has_failed(h); k++)
            start(h, &items[k], ops);
        for (unsigned k = 0; k < n && !soak_has_failed(h); k++)
            decide(h, &items[k], ops);
        for (unsigned k = 0; k < n && !soak_has_failed(h); k++)
            see_end(h, &items[k], ops);
    }
}

static enum weft_status
timer_start(void **out, weft_deadline when, void (*fn)(void *arg), void *arg)
{
    weft_timer *t = NULL;
    const enum weft_status status = weft_timer_start(&t, when, fn, arg);

    *out = t;
    return status;
}

static bool
timer_cancel(void *t)
{
    return weft_timer_cancel(t);
}

static enum weft_status
timer_join(void *t, weft_deadline deadline)
{
    return weft_timer_join(t, deadline);
}

static void
timer_release(void *t)
{
    weft_timer_release(t);
}

static const struct soak_timer_ops ops = {timer_start, timer_cancel, timer_join,
                                          timer_release};

const struct soak_subject soak_timer = {
    .name = "timer",
    .tallies = {"ran", "cancelled"},
    .least_threads = 1,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .body = body,
};

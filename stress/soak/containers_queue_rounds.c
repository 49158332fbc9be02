/* SPDX-License-Identifier: MIT */
/*
 * containers_queue_rounds.c - what the threads do to a queue that waits.
 *
 * Ordering.  The count of producers carries nothing: the queue itself must
 * make what was put before a close seen after it.
 */
#include <sched.h>

#include "soak/containers_queue.h"

#define VICTIM_ONE_IN 2048
#define CLOSE_ONE_IN  64
#define JOIN_ONE_IN   64
#define BATCH_ONE_IN  8
#define SHORT_US      100

_Thread_local bool soak_waits_for_ever;
_Thread_local void (*soak_drop)(void *item, void *ctx);
_Thread_local void *soak_drop_ctx;

static const struct soak_queue_ops *
ops_of(const struct soak_hand *h)
{
    return h->run->subject->ops;
}

static struct soak_case *
case_of(const struct soak_hand *h)
{
    return h->state;
}

static size_t
draw_n(struct soak_hand *h)
{
    return soak_one_in(h, BATCH_ONE_IN) ? 2 + soak_below(h, SOAK_BATCH - 1) : 1;
}

static bool
pop_some(struct soak_hand *h)
{
    const bool fifo = ops_of(h)->container.order == SOAK_FIFO;

    return soak_pop(h, draw_n(h), &case_of(h)->books[h->index].trail,
                    fifo ? SOAK_FIFO : SOAK_LOOSE);
}

void
soak_queue_opened(struct soak_hand *h)
{
    struct soak_case *s = h->state;
    const unsigned draw = soak_below(h, 4);

    s->round = draw < 2 ? SOAK_OPEN : draw == 2 ? SOAK_DRAINED : SOAK_DISCARDED;
    s->closing = s->round != SOAK_OPEN;
    atomic_store_explicit(&s->producing, (h->count + 1) / 2,
                          memory_order_relaxed);
}

static void
dropped(void *item, void *ctx)
{
    struct soak_trail none;

    if (!soak_has_failed(ctx))
        soak_came_out(ctx, item, &none, SOAK_LOOSE);
}

/* Whoever meets what is discarded may be the one to drop it. */
static void
take_dropped(struct soak_hand *h)
{
    soak_drop = dropped;
    soak_drop_ctx = h;
}

/* --- waits that are cancelled --------------------------------------------- */

/* Until it is cancelled, under the name of the thread that waits for that. */
static void *
pop_for_ever(void *arg)
{
    struct soak_hand *h = arg;

    take_dropped(h);
    soak_waits_for_ever = true;
    while (!soak_has_failed(h) && pop_some(h))
        pthread_testcancel();
    return NULL;
}

static void *
push_for_ever(void *arg)
{
    struct soak_hand *h = arg;

    take_dropped(h);
    soak_waits_for_ever = true;
    soak_no_parcels = true; /* nobody would free the one it waits with */
    for (unsigned i = 0; !soak_has_failed(h) && i < 1000; i++) {
        soak_push(h, 1);
        pthread_testcancel();
    }
    return NULL;
}

static void
cancel_one(struct soak_hand *h)
{
    struct soak_hand victim = {
        .run = h->run, .state = h->state, .index = h->index, .count = h->count};

    prng_seed(&victim.random, prng_next(&h->random), 0);
    soak_at(h, "the end of a cancelled wait");
    h->tally[SOAK_CANCELLED] += soak_cancel(
        h, soak_one_in(h, 2) ? push_for_ever : pop_for_ever, &victim);
    h->tally[SOAK_PUSHED] += victim.tally[SOAK_PUSHED];
    h->tally[SOAK_POPPED] += victim.tally[SOAK_POPPED];
}

/* --- rounds --------------------------------------------------------------- */

static void
wait_for_something(struct soak_hand *h)
{
    const weft_deadline deadline = weft_in_us(soak_below(h, SHORT_US));
    const bool join = soak_one_in(h, 2);
    void *const c = case_of(h)->container;

    soak_at(h, join ? "join" : "wait_any");
    const enum weft_status status =
        join ? ops_of(h)->join(c, deadline) : ops_of(h)->wait_any(c, deadline);
    if (status == WEFT_TIMEOUT)
        soak_timed_out(h, deadline);
    else if (status != WEFT_OK)
        soak_fault(h->run, "%s returned %s", join ? "join" : "wait_any",
                   weft_status_name(status));
}

static void
drained(void *item, void *ctx)
{
    struct soak_hand *h = ctx;

    soak_fault(h->run, "%p was dropped by a close that is to leave it", item);
}

static void
close_it(struct soak_hand *h, enum weft_close how)
{
    void *const c = case_of(h)->container;

    soak_drop = how == WEFT_DISCARD ? dropped : drained;
    soak_drop_ctx = h;
    soak_at(h, "close");
    if (ops_of(h)->close(c, how) != WEFT_OK || !ops_of(h)->is_closed(c))
        soak_fault(h->run, "close went wrong");
    take_dropped(h);
}

static bool
is_closed(struct soak_hand *h)
{
    return case_of(h)->closing && ops_of(h)->is_closed(case_of(h)->container);
}

static void
be_open(struct soak_hand *h)
{
    const struct soak_case *s = h->state;

    for (unsigned i = 0; i < s->turns && soak_goes_on(h) && !is_closed(h);
         i++) {
        soak_turn_of_any(h);
        if (soak_one_in(h, JOIN_ONE_IN))
            wait_for_something(h);
        if (soak_one_in(h, VICTIM_ONE_IN))
            cancel_one(h);
        if (s->closing && soak_one_in(h, CLOSE_ONE_IN))
            close_it(h, WEFT_DISCARD);
        soak_turn(h);
    }
}

/* The last one closes, so that the consumers come to an end. */
static void
produce(struct soak_hand *h)
{
    struct soak_case *s = h->state;

    for (unsigned i = 0; i < s->turns && soak_goes_on(h); i++) {
        if (soak_one_in(h, BATCH_ONE_IN))
            soak_pause(h);
        soak_push(h, draw_n(h));
        soak_turn(h);
    }
    if (atomic_fetch_sub_explicit(&s->producing, 1, memory_order_relaxed) == 1)
        close_it(h, WEFT_DRAIN);
}

static void
consume(struct soak_hand *h)
{
    while (!soak_has_failed(h) && pop_some(h)) {
        if (soak_one_in(h, BATCH_ONE_IN))
            soak_pause(h);
        soak_turn(h);
    }
    if (!soak_has_failed(h) && !is_closed(h))
        soak_fault(h->run, "a get for ever returned nothing");
}

void
soak_queue_round(struct soak_hand *h)
{
    const struct soak_case *s = h->state;

    take_dropped(h);
    if (s->round != SOAK_DRAINED) {
        be_open(h);
        return;
    }
    soak_waits_for_ever = true;
    if (h->index % 2 == 0)
        produce(h);
    else
        consume(h);
    soak_waits_for_ever = false;
}

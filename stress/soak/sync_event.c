/* SPDX-License-Identifier: MIT */
/*
 * sync_event.c - the event: whoever waits when it is set returns, also if it is
 * cleared at once; who comes while it is set does not wait; who comes while it
 * is not does not return.
 *
 * The first thread sets, the others wait, once each in a round.  In a round of
 * the kind PULSE it sets and clears in one go as soon as all others sleep in
 * the kernel: a round whose set reaches one thread less never ends.
 *
 * Ordering.  The event carries the message; a round begins and ends by itself:
 *
 *     round   the first prepares a round  ->  the others begin it
 *     out     one has read the message    ->  the first writes the next
 *
 * The other words carry no data and are relaxed.
 */
#include <weft/event.h>

#include <sched.h>
#include <unistd.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

#define LOOK_US 20

enum kind { EARLY, LATE, WHEN_ALL_ARE_HERE, PULSE, KINDS };
enum { RETURNED, TIMED_OUT, CANCELLED };

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    alignas(128) _Atomic uint64_t round; /* UINT64_MAX: it is all over */
    _Atomic enum kind kind;              /* of the round */
    _Atomic unsigned here;               /* about to wait */
    _Atomic unsigned out;
    _Atomic bool may_return; /* it has been set, or is about to be */
    uint64_t message;        /* the round, told by the set */
};

static enum weft_status
wait_once(struct soak_hand *h, struct state *s,
          const struct soak_event_ops *ops, weft_deadline deadline)
{
    soak_at(h, "wait");
    const enum weft_status status = ops->wait(s->object, deadline);
    if (status == WEFT_TIMEOUT) {
        soak_timed_out(h, deadline);
        h->tally[TIMED_OUT]++;
    } else if (status != WEFT_OK) {
        soak_fault(h->run, "wait returned %s", weft_status_name(status));
    } else if (!atomic_load_explicit(&s->may_return, memory_order_relaxed)) {
        soak_fault(h->run, "wait returned, and nobody has set it");
    }
    return status;
}

struct victim {
    struct state *s;
    const struct soak_event_ops *ops;
};

static void *
be_victim(void *arg)
{
    struct victim *v = arg;

    v->ops->wait(v->s->object, WEFT_FOREVER);
    return NULL;
}

/* One round of one that waits. */
static void
wait_in_round(struct soak_hand *h, struct state *s, uint64_t round)
{
    const struct soak_event_ops *ops = h->run->subject->ops;
    const bool pulse =
        atomic_load_explicit(&s->kind, memory_order_relaxed) == PULSE;

    if (!pulse && soak_one_in(h, 64)) {
        struct victim v = {s, ops};
        soak_at(h, "the end of a cancelled wait");
        h->tally[CANCELLED] += soak_cancel(h, be_victim, &v);
    }
    if (!pulse)
        soak_pause(h);
    atomic_fetch_add_explicit(&s->here, 1, memory_order_relaxed);
    enum weft_status status;
    do {
        status = wait_once(h, s, ops, pulse ? WEFT_FOREVER : soak_deadline(h));
    } while (status != WEFT_OK && !soak_has_failed(h));
    if (!h->run->subject->broken && s->message != round)
        soak_fault(h->run,
                   "thread %u does not see what was done before the "
                   "set",
                   h->index);
    h->tally[RETURNED]++;
    soak_turn(h);
    /* release: out.  The next message is written after we have read this. */
    atomic_fetch_add_explicit(&s->out, 1, memory_order_release);
}

static void
be_waiter(struct soak_hand *h, struct state *s)
{
    uint64_t last = 0;

    while (!soak_has_failed(h)) {
        /* acquire: round */
        const uint64_t round =
            atomic_load_explicit(&s->round, memory_order_acquire);
        if (round == UINT64_MAX)
            return;
        if (round == last) {
            soak_at(h, "the start of a round");
            sched_yield();
            continue;
        }
        last = round;
        wait_in_round(h, s, round);
    }
}

/* Let some time pass, as the kind of the round has it. */
static void
delay(struct soak_hand *h, struct state *s, enum kind kind)
{
    const unsigned others = h->count - 1;

    soak_at(h, "the wait for those that wait");
    if (kind == EARLY)
        return;
    if (kind == LATE)
        soak_pause(h);
    while (kind >= WHEN_ALL_ARE_HERE && !soak_has_failed(h) &&
           atomic_load_explicit(&s->here, memory_order_relaxed) < others)
        usleep(LOOK_US);
    while (kind == PULSE && !soak_has_failed(h) && !soak_all_sleep(h))
        usleep(LOOK_US);
}

static bool
all_are_out(struct soak_hand *h, struct state *s)
{
    /* acquire: out */
    return atomic_load_explicit(&s->out, memory_order_acquire) == h->count - 1;
}

/* What the setter alone can know. */
static void
check(struct soak_hand *h, struct state *s, const struct soak_event_ops *ops,
      bool set)
{
    if (ops->is_set(s->object) != set)
        soak_fault(h->run, set ? "set, it says it is not"
                               : "cleared, it says it is set");
    if ((ops->wait(s->object, WEFT_NOW) == WEFT_OK) != set)
        soak_fault(h->run, set ? "set, it makes one wait"
                               : "cleared, it makes nobody wait");
}

static void
lead_round(struct soak_hand *h, struct state *s, uint64_t round, bool can_see)
{
    const struct soak_event_ops *ops = h->run->subject->ops;
    const enum kind kind = (enum kind)soak_below(h, can_see ? KINDS : PULSE);

    atomic_store_explicit(&s->here, 0, memory_order_relaxed);
    atomic_store_explicit(&s->out, 0, memory_order_relaxed);
    atomic_store_explicit(&s->may_return, false, memory_order_relaxed);
    atomic_store_explicit(&s->kind, kind, memory_order_relaxed);
    /* release: round */
    atomic_store_explicit(&s->round, round, memory_order_release);
    delay(h, s, kind);
    if (!h->run->subject->broken)
        s->message = round;
    atomic_store_explicit(&s->may_return, true, memory_order_relaxed);
    ops->set(s->object);
    if (kind == PULSE)
        ops->clear(s->object);
    else
        check(h, s, ops, true);
    soak_at(h, "the return of those that wait");
    while (!all_are_out(h, s) && !soak_has_failed(h))
        usleep(LOOK_US);
    ops->clear(s->object);
    check(h, s, ops, false);
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;

    if (h->index != 0) {
        be_waiter(h, s);
        return;
    }
    /* The pulse needs to see that the others sleep; ourselves we do not. */
    const bool can_see = soak_can_see_sleep();
    for (uint64_t round = 1; soak_goes_on(h); round++) {
        lead_round(h, s, round, can_see);
        soak_turn(h);
    }
    /* release: round */
    atomic_store_explicit(&s->round, UINT64_MAX, memory_order_release);
}

static void
set(void *e)
{
    weft_event_set(e);
}

static void
clear(void *e)
{
    weft_event_clear(e);
}

static bool
is_set(const void *e)
{
    return weft_event_is_set(e);
}

static enum weft_status
wait(void *e, weft_deadline deadline)
{
    return weft_event_wait(e, deadline);
}

static const struct soak_event_ops ops = {set, clear, is_set, wait};

const struct soak_subject soak_event = {
    .name = "event",
    .tallies = {"returned", "timed out", "cancelled"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .body = body,
};

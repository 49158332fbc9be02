/* SPDX-License-Identifier: MIT */
/*
 * sync_semaphore.c - the semaphore: never more units out than there are, none
 * lost and none made, also by threads that are cancelled while they wait.
 */
#include <weft/semaphore.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

#define TAKE_MOST 3

enum { ACQUIRED, GAVE_UP, CANCELLED };

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    uint32_t units;
    alignas(128) _Atomic uint32_t out;
    uint64_t guarded; /* counted by whoever has the only unit */
};

static void
have_one(struct soak_run *run, struct state *s)
{
    const uint32_t out =
        atomic_fetch_add_explicit(&s->out, 1, memory_order_relaxed) + 1;

    if (out > s->units)
        soak_fault(run, "%u units are out, of %u", out, s->units);
}

/* Give `n` back, together or one by one. */
static void
give_back(struct soak_hand *h, struct state *s,
          const struct soak_semaphore_ops *ops, uint32_t n)
{
    const uint32_t each = soak_one_in(h, 2) ? n : 1;

    atomic_fetch_sub_explicit(&s->out, n, memory_order_relaxed);
    soak_at(h, "release");
    for (uint32_t left = n; left > 0; left -= each) {
        const enum weft_status status = ops->release(s->object, each);
        if (status != WEFT_OK)
            soak_fault(h->run, "release(%u) of what was out returned %s", each,
                       weft_status_name(status));
    }
}

/* Take one or more: for ever only the first, or all might wait for each other.
 * Returns how many. */
static uint32_t
take(struct soak_hand *h, struct state *s, const struct soak_semaphore_ops *ops)
{
    const uint32_t most = 1 + soak_below(h, TAKE_MOST);
    uint32_t n = 0;

    while (n < most) {
        const weft_deadline deadline =
            n == 0 ? soak_deadline(h) : weft_in_us(soak_below(h, 100));
        soak_at(h, "acquire");
        const enum weft_status status = ops->acquire(s->object, deadline);
        if (status == WEFT_TIMEOUT) {
            soak_timed_out(h, deadline);
            h->tally[GAVE_UP]++;
            break;
        }
        if (status != WEFT_OK) {
            soak_fault(h->run, "acquire returned %s", weft_status_name(status));
            break;
        }
        have_one(h->run, s);
        n++;
    }
    h->tally[ACQUIRED] += n;
    return n;
}

/* A wait that may be cancelled: it has a unit, or it was cancelled. */
struct victim {
    struct state *s;
    const struct soak_semaphore_ops *ops;
    bool has_it;
};

static void *
be_victim(void *arg)
{
    struct victim *v = arg;

    v->has_it = v->ops->acquire(v->s->object, WEFT_FOREVER) == WEFT_OK;
    return NULL;
}

static void
cancel_one(struct soak_hand *h, struct state *s,
           const struct soak_semaphore_ops *ops)
{
    struct victim v = {.s = s, .ops = ops};

    soak_at(h, "the end of a cancelled acquire");
    h->tally[CANCELLED] += soak_cancel(h, be_victim, &v);
    if (v.has_it) {
        have_one(h->run, s);
        give_back(h, s, ops, 1);
    }
}

static void
check_bounds(struct soak_hand *h, struct state *s,
             const struct soak_semaphore_ops *ops)
{
    const uint32_t value = ops->value(s->object);

    if (value > s->units)
        soak_fault(h->run, "its value is %u, above its maximum of %u", value,
                   s->units);
    if (ops->release(s->object, s->units + 1) != WEFT_OVERFLOW)
        soak_fault(h->run, "release of more than there are went through");
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;
    const struct soak_semaphore_ops *ops = h->run->subject->ops;

    for (; soak_goes_on(h); soak_turn(h)) {
        soak_pause(h);
        if (soak_one_in(h, 128))
            cancel_one(h, s, ops);
        if (soak_one_in(h, 16))
            check_bounds(h, s, ops);
        const uint32_t n = take(h, s, ops);
        if (n == 0)
            continue;
        if (s->units == 1 && !h->run->subject->broken)
            s->guarded++;
        soak_at(h, "inside");
        soak_pause(h);
        give_back(h, s, ops, n);
    }
}

static bool
open_state(struct soak_run *run, void *state)
{
    struct state *s = state;
    const struct soak_semaphore_ops *ops = run->subject->ops;

    s->units = 1 + (uint32_t)(run->seed % (run->threads / 2 + 1));
    return ops->init(s->object, s->units, s->units) == WEFT_OK;
}

static void
close_state(struct soak_run *run, void *state)
{
    struct state *s = state;
    const struct soak_semaphore_ops *ops = run->subject->ops;
    const uint32_t value = ops->value(s->object);

    if (value != s->units)
        soak_fault(run, "all units are back, and it has %u of %u", value,
                   s->units);
}

static enum weft_status
init(void *s, uint32_t value, uint32_t max)
{
    return weft_semaphore_init(s, value, max);
}

static enum weft_status
acquire(void *s, weft_deadline deadline)
{
    return weft_semaphore_acquire(s, deadline);
}

static enum weft_status
release(void *s, uint32_t n)
{
    return weft_semaphore_release(s, n);
}

static uint32_t
value(const void *s)
{
    return weft_semaphore_value(s);
}

static const struct soak_semaphore_ops ops = {init, acquire, release, value};

const struct soak_subject soak_semaphore = {
    .name = "semaphore",
    .tallies = {"acquired", "gave up", "cancelled"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .open = open_state,
    .body = body,
    .close = close_state,
};

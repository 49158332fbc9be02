/* SPDX-License-Identifier: MIT */
/*
 * sync_barrier.c - the barrier: nobody leaves a round before all have come,
 * each has a place of its own, the action runs once a round before anyone
 * leaves, and what breaks it breaks it for all.
 *
 * An episode is a number of rounds that all come through, and a last one that
 * one of the threads may spoil.  Between episodes the threads meet by other
 * means, and the first looks at what all were told.
 */
#include <weft/barrier.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

#define ROUNDS_MOST 16
#define VICTIM_US   200

enum { PASSED, BROKEN, CANCELLED };

/* How the last round is spoilt; in the first two perhaps not at all. */
enum kind { LATE, CANCEL, ABORT, RESET, ACTION_FAILS, KINDS };

#define WAS_CANCELLED (-1) /* beside the statuses */

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    /* Written between episodes. */
    enum kind kind;
    unsigned rounds;
    unsigned spoiler; /* who comes late, aborts, resets */
    unsigned victim;  /* who waits with a deadline, is cancelled */
    bool over;
    uint64_t base; /* rounds of all episodes before */
    int told[SOAK_THREADS_MAX];
    alignas(128) _Atomic uint64_t arrived; /* in this episode */
    _Atomic uint64_t actions;
    _Atomic bool action_fails;
    uint64_t action_plain; /* what the action leaves for all */
    _Atomic uint64_t seen[SOAK_THREADS_MAX]; /* the last round of a place */
    struct soak_meeting meeting;
};

static enum weft_status
act(void *ctx)
{
    struct state *s = ctx;

    s->action_plain = s->base + atomic_fetch_add_explicit(&s->actions, 1,
                                                          memory_order_relaxed);
    return atomic_load_explicit(&s->action_fails, memory_order_relaxed)
               ? WEFT_FAILED
               : WEFT_OK;
}

/* The action of one that is broken on purpose, and in whose care nothing plain
 * is left. */
static enum weft_status
act_broken(void *ctx)
{
    struct state *s = ctx;

    atomic_fetch_add_explicit(&s->actions, 1, memory_order_relaxed);
    return atomic_load_explicit(&s->action_fails, memory_order_relaxed)
               ? WEFT_FAILED
               : WEFT_OK;
}

/* After round `round` of the episode, from 0. */
static void
check_round(struct soak_hand *h, struct state *s, unsigned round, size_t place)
{
    const uint64_t all = (uint64_t)h->count * (round + 1);
    const uint64_t arrived =
        atomic_load_explicit(&s->arrived, memory_order_relaxed);
    const uint64_t actions =
        atomic_load_explicit(&s->actions, memory_order_relaxed);

    if (place >= h->count) {
        soak_fault(h->run, "a place of %zu among %u", place, h->count);
        return;
    }
    if (arrived < all)
        soak_fault(h->run, "thread %u left when %llu of %u had come", h->index,
                   (unsigned long long)(arrived + h->count - all), h->count);
    else if (arrived >= all + h->count)
        soak_fault(h->run,
                   "others were through the next round before thread "
                   "%u came to it",
                   h->index);
    if (actions != round + 1)
        soak_fault(h->run, "the action ran %llu times in %u rounds",
                   (unsigned long long)actions, round + 1);
    else if (!h->run->subject->broken && s->action_plain != s->base + round)
        soak_fault(h->run, "thread %u does not see what the action did",
                   h->index);
    /* The base is at least 1: 0 is a place that nobody had yet. */
    const uint64_t now = s->base + round;
    if (atomic_exchange_explicit(&s->seen[place], now, memory_order_relaxed) ==
        now)
        soak_fault(h->run, "two have the place %zu in one round", place);
}

static void
whole_rounds(struct soak_hand *h, struct state *s,
             const struct soak_barrier_ops *ops)
{
    for (unsigned round = 0; round < s->rounds && !soak_has_failed(h);
         round++) {
        size_t place = SIZE_MAX;
        soak_pause(h);
        atomic_fetch_add_explicit(&s->arrived, 1, memory_order_relaxed);
        soak_at(h, "wait in a whole round");
        const enum weft_status status =
            ops->wait(s->object, WEFT_FOREVER, &place);
        if (status != WEFT_OK) {
            soak_fault(h->run, "wait in a whole round returned %s",
                       weft_status_name(status));
            return;
        }
        check_round(h, s, round, place);
        h->tally[PASSED]++;
        soak_turn(h);
    }
}

struct victim {
    void *object;
    const struct soak_barrier_ops *ops;
    bool ran;
    int told;
};

static void *
be_victim(void *arg)
{
    struct victim *v = arg;

    v->ran = true;
    v->told = (int)v->ops->wait(v->object, WEFT_FOREVER, NULL);
    return NULL;
}

static int
be_cancelled(struct soak_hand *h, struct state *s,
             const struct soak_barrier_ops *ops)
{
    struct victim v = {.object = s->object, .ops = ops};

    soak_at(h, "the end of a cancelled wait");
    if (soak_cancel(h, be_victim, &v)) {
        h->tally[CANCELLED]++;
        return WAS_CANCELLED;
    }
    return v.ran ? v.told : (int)ops->wait(s->object, WEFT_FOREVER, NULL);
}

/* What the spoiler does instead of waiting; true: it does not wait. */
static bool
spoil(struct soak_hand *h, struct state *s, const struct soak_barrier_ops *ops)
{
    if (s->kind == LATE || s->kind == CANCEL)
        soak_nap(h, 2 * VICTIM_US * 1000);
    else
        soak_pause(h);
    if (s->kind == ABORT) {
        ops->abort(s->object);
        return true;
    }
    if (s->kind != RESET)
        return false;
    soak_at(h, "the wait for all others to wait");
    while (ops->waiting(s->object) != h->count - 1 && !soak_has_failed(h))
        soak_pause(h);
    ops->reset(s->object);
    return true;
}

/* Returns what this thread was told. */
static int
last_round(struct soak_hand *h, struct state *s,
           const struct soak_barrier_ops *ops)
{
    weft_deadline deadline = WEFT_FOREVER;

    if (h->index == s->spoiler && spoil(h, s, ops))
        return WEFT_BROKEN;
    if (h->index == s->victim && s->kind == CANCEL)
        return be_cancelled(h, s, ops);
    if (h->index == s->victim && s->kind == LATE)
        deadline = weft_in_us(soak_below(h, VICTIM_US));
    soak_at(h, "wait in a last round");
    const enum weft_status status = ops->wait(s->object, deadline, NULL);
    if (status == WEFT_TIMEOUT)
        soak_timed_out(h, deadline);
    return (int)status;
}

/* What the one is told by whom it was spoilt, when the others are BROKEN. */
static bool
may_be_told(const struct state *s, unsigned index, int told)
{
    if (s->kind == LATE)
        return index == s->victim && told == WEFT_TIMEOUT;
    if (s->kind == CANCEL)
        return index == s->victim && told == WAS_CANCELLED;
    return s->kind == ACTION_FAILS && told == WEFT_FAILED;
}

/* All were told that they passed, but for one that was cancelled on its way
 * out; or one the cause, and all others BROKEN. */
static void
check_told(struct soak_hand *h, const struct state *s)
{
    unsigned passed = 0;
    unsigned causes = 0;

    for (unsigned i = 0; i < h->count; i++) {
        if (s->told[i] == WEFT_OK)
            passed++;
        else if (may_be_told(s, i, s->told[i]))
            causes++;
        else if (s->told[i] != WEFT_BROKEN)
            soak_fault(h->run, "thread %u was told %s in a last round", i,
                       weft_status_name((enum weft_status)s->told[i]));
    }
    const bool may_pass = s->kind == LATE || s->kind == CANCEL;
    const bool has_cause = s->kind != ABORT && s->kind != RESET;
    const bool left_behind = s->told[s->victim] == WAS_CANCELLED;
    if (passed != 0 && (passed + left_behind != h->count || !may_pass))
        soak_fault(h->run, "%u of %u passed a last round", passed, h->count);
    else if (passed == 0 && causes != (has_cause ? 1u : 0u))
        soak_fault(h->run, "it broke, and %u were told why", causes);
    h->tally[BROKEN] += passed == 0;
}

/* What the first thread does while the others wait for it elsewhere. */
static void
prepare(struct soak_hand *h, struct state *s)
{
    const struct soak_barrier_ops *ops = h->run->subject->ops;

    if (ops->is_broken(s->object))
        ops->reset(s->object);
    if (ops->is_broken(s->object) || ops->waiting(s->object) != 0)
        soak_fault(h->run, "reset, it is broken, or has %zu that wait",
                   ops->waiting(s->object));
    s->over = !soak_goes_on(h);
    s->base += s->rounds + 1;
    s->kind = (enum kind)soak_below(h, KINDS);
    s->rounds = 1 + soak_below(h, ROUNDS_MOST);
    s->spoiler = soak_below(h, h->count);
    s->victim = (s->spoiler + 1 + soak_below(h, h->count - 1)) % h->count;
    atomic_store_explicit(&s->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&s->actions, 0, memory_order_relaxed);
    atomic_store_explicit(&s->action_fails, false, memory_order_relaxed);
}

/* One after another, so that the action fails in the last round only. */
static bool
meet_before_last(struct soak_hand *h, struct state *s)
{
    soak_at(h, "the start of a last round");
    if (!soak_meet(h, &s->meeting))
        return false;
    if (s->kind != ACTION_FAILS)
        return true;
    if (h->index == 0)
        atomic_store_explicit(&s->action_fails, true, memory_order_relaxed);
    return soak_meet(h, &s->meeting);
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;
    const struct soak_barrier_ops *ops = h->run->subject->ops;

    for (;;) {
        if (h->index == 0)
            prepare(h, s);
        soak_at(h, "the start of an episode");
        if (!soak_meet(h, &s->meeting) || s->over)
            return;
        whole_rounds(h, s, ops);
        if (!meet_before_last(h, s))
            return;
        s->told[h->index] = last_round(h, s, ops);
        soak_at(h, "the end of an episode");
        if (!soak_meet(h, &s->meeting))
            return;
        if (h->index == 0)
            check_told(h, s);
        soak_turn(h);
    }
}

static bool
open_state(struct soak_run *run, void *state)
{
    struct state *s = state;
    const struct soak_barrier_ops *ops = run->subject->ops;

    soak_meeting_init(&s->meeting);
    return ops->init(s->object, run->threads,
                     run->subject->broken ? act_broken : act, s) == WEFT_OK;
}

static enum weft_status
init(void *b, uint32_t parties, enum weft_status (*action)(void *ctx),
     void *ctx)
{
    return weft_barrier_init(b, parties, action, ctx);
}

static enum weft_status
wait(void *b, weft_deadline deadline, size_t *index)
{
    return weft_barrier_wait(b, deadline, index);
}

static void
reset(void *b)
{
    weft_barrier_reset(b);
}

static void
abort_it(void *b)
{
    weft_barrier_abort(b);
}

static bool
is_broken(const void *b)
{
    return weft_barrier_is_broken(b);
}

static size_t
waiting(const void *b)
{
    return weft_barrier_waiting(b);
}

static const struct soak_barrier_ops ops = {init,     wait,      reset,
                                            abort_it, is_broken, waiting};

const struct soak_subject soak_barrier = {
    .name = "barrier",
    .tallies = {"passed", "broken", "cancelled"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .open = open_state,
    .body = body,
};

/* SPDX-License-Identifier: MIT */
/*
 * barrier.c - the whole state is one 64-bit word, and every change of it one
 * compare-and-swap.
 *
 *     phase: a number of 30 bits and two flags   crowd: SLEPT and a count
 *
 *     phase             count       means                left by
 *     r                 < parties   filling              an arrival: count + 1;
 *                                                        the last one: r + 1, 0
 *     r                 parties     the action runs      who runs it: r + 1, 0
 *     r BROKEN          any         broken; count are    each of them: count-1;
 *                                   still to leave       a reset
 *     r BROKEN RESET    > 0         being reset          the last to leave:
 *                                                        r + 1, 0
 *
 * From any of them but the last two a timeout, a failed action, a cancelled
 * thread or an abort leads to `r BROKEN` with the count unchanged, from the
 * last too.
 *
 * Who waits in round r looks at the phase only.  If it is r BROKEN the round
 * was broken; if the number is another the round was complete, since a round
 * that was broken gives its number up only when all who were in it have left.
 * So a thread that sleeps through any number of later rounds still knows how
 * its own ended, and nobody has to count out of a round that went well: one
 * compare-and-swap a thread and round, and the last thing that the last thread
 * does to the memory is the one that releases the others.
 *
 * SLEPT: somebody may sleep on the phase.  Legal to be set with no sleeper;
 * illegal to be clear with one, so it is set before sleeping, by a change of
 * the whole word: either that fails, or who changes the phase finds the flag.
 *
 * A number comes back after 2^30 rounds, two minutes of nothing else.  A thread
 * that is stopped in a wait for exactly that long, while others complete those
 * rounds without it, waits for one round more.
 *
 * The kernel compares a phase, which is half of the word.  Both are atomic, and
 * nothing is concluded from a look at the half alone.
 *
 * Ordering.
 *
 *     arrive     a thread comes              ->  the last one has seen all come
 *     release    a round ends, well or not   ->  who waits, or comes, sees it
 *     left       a thread leaves a broken    ->  the last to leave ends it
 */
#include <weft/barrier.h>

#include <pthread.h>

#include "base/park.h"
#include "deadlock/watch.h"

#define BROKEN     (UINT64_C(1) << 32)
#define RESET      (UINT64_C(2) << 32)
#define ROUND      (UINT64_C(4) << 32) /* one */
#define SLEPT      (UINT64_C(1) << 31)
#define COUNT      (SLEPT - 1)
#define PHASE_HALF (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 0)

static uint32_t
phase_of(uint64_t w)
{
    return (uint32_t)(w >> 32);
}

static uint64_t
look(const weft_barrier *b)
{
    /* acquire: release */
    return atomic_load_explicit(&b->state.whole, memory_order_acquire);
}

/* Go from `*w` to `to`, or load `*w` again and return false. */
static bool
change(weft_barrier *b, uint64_t *w, uint64_t to)
{
    /* acq_rel: arrive, release, left */
    return atomic_compare_exchange_weak_explicit(
        &b->state.whole, w, to, memory_order_acq_rel, memory_order_acquire);
}

/* The same; who slept in the old phase is woken.  The barrier may be gone by
 * then. */
static bool
change_phase(weft_barrier *b, uint64_t *w, uint64_t to)
{
    if (!change(b, w, to & ~SLEPT))
        return false;
    if ((*w & SLEPT) != 0)
        weft_park_wake_all_(&b->state.half[PHASE_HALF]);
    return true;
}

static uint64_t
next_round(uint64_t w)
{
    return (w / ROUND + 1) * ROUND;
}

/* Break it if its phase is `phase`; whether it was. */
static bool
break_off(weft_barrier *b, uint32_t phase)
{
    uint64_t w = atomic_load_explicit(&b->state.whole, memory_order_relaxed);

    while (phase_of(w) == phase)
        if (change_phase(b, &w, (w | BROKEN) & ~RESET))
            return true;
    return false;
}

/* One of those who were in a broken round leaves it. */
static void
leave_broken(weft_barrier *b)
{
    uint64_t w = atomic_load_explicit(&b->state.whole, memory_order_relaxed);

    for (;;) {
        if ((w & RESET) != 0 && (w & COUNT) == 1) {
            if (change_phase(b, &w, next_round(w)))
                return;
        } else if (change(b, &w, w - 1))
            return;
    }
}

/* A thread that waits in, or runs the action of, the phase. */
struct visit {
    weft_barrier *b;
    uint32_t phase;
    bool counted;
};

/* It gives up: the barrier is broken if the round is still the same.  Returns
 * whether this broke it. */
static bool
give_up(const struct visit *v)
{
    const bool mine = break_off(v->b, v->phase);

    if (v->counted && phase_of(look(v->b)) >> 2 == v->phase >> 2)
        leave_broken(v->b);
    return mine;
}

/* The thread is cancelled, or ends in the action. */
static void
end(void *visit)
{
    weft_watch_unblock_();
    (void)give_up(visit);
}

/* Sleep while the phase is as it was, at most until the deadline. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
sleep_through(struct visit *v, weft_deadline deadline)
{
    enum weft_status s = weft_watch_block_(v->b, WEFT_KIND_BARRIER, deadline);

    if (s != WEFT_OK)
        return s;
    pthread_cleanup_push(end, v);
    s = weft_park_wait_cancel_(&v->b->state.half[PHASE_HALF], v->phase,
                               deadline);
    pthread_cleanup_pop(0);
    weft_watch_unblock_();
    return s;
}

/*
 * Wait until the phase is another.
 *
 *   returns    WEFT_OK, and `*w` is the new state; another status, and this
 *              thread has broken it and is out
 */
static enum weft_status
until_changed(struct visit *v, weft_deadline deadline, uint64_t *w)
{
    weft_barrier *b = v->b;

    if (deadline > WEFT_NOW)
        weft_park_linger_(&b->state.half[PHASE_HALF], v->phase, b->parties);
    for (*w = look(b); phase_of(*w) == v->phase; *w = look(b)) {
        if (deadline > WEFT_NOW && (*w & SLEPT) == 0 &&
            !change(b, w, *w | SLEPT))
            continue;
        const enum weft_status s = sleep_through(v, deadline);
        if (s != WEFT_OK && break_off(b, v->phase)) {
            if (v->counted)
                leave_broken(b);
            return s;
        }
    }
    return WEFT_OK;
}

/* Wait in the round that this thread was counted in. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
until_released(struct visit *v, weft_deadline deadline)
{
    uint64_t w;
    const enum weft_status s = until_changed(v, deadline, &w);

    if (s != WEFT_OK || phase_of(w) >> 2 != v->phase >> 2)
        return s;
    leave_broken(v->b);
    return WEFT_BROKEN;
}

/* All have come: run the action, and release them. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
act(struct visit *v)
{
    weft_barrier *b = v->b;
    enum weft_status s;

    pthread_cleanup_push(end, v);
    s = b->action(b->ctx);
    pthread_cleanup_pop(0);
    if (s != WEFT_OK) {
        (void)give_up(v);
        return s;
    }
    uint64_t w = atomic_load_explicit(&b->state.whole, memory_order_relaxed);
    while (phase_of(w) == v->phase)
        if (change_phase(b, &w, next_round(w)))
            return WEFT_OK;
    leave_broken(b);
    return WEFT_BROKEN;
}

enum weft_status
weft_barrier_init(weft_barrier *b, uint32_t parties,
                  enum weft_status (*action)(void *ctx), void *ctx)
{
    if (parties < 1 || parties > WEFT_BARRIER_PARTIES_MAX)
        return WEFT_INVALID;
    atomic_init(&b->state.whole, 0);
    b->parties = parties;
    b->action = action;
    b->ctx = ctx;
    if (weft_watching_())
        weft_watch_forgets_(b, sizeof(*b));
    return WEFT_OK;
}

/* What the graph of orders is told. */
static void
arrive_told(const weft_barrier *b, weft_deadline deadline)
{
    weft_watch_awaits_(b, WEFT_KIND_BARRIER, NULL, deadline);
    weft_watch_tells_(b, WEFT_KIND_BARRIER, NULL, b->parties);
}

WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
weft_barrier_wait(weft_barrier *b, weft_deadline deadline, size_t *index)
{
    struct visit v = {.b = b};
    uint64_t w = look(b);

    WEFT_WATCH_CALL_();
    if (weft_watching_())
        arrive_told(b, deadline);
    for (;;) {
        const size_t place = w & COUNT;
        enum weft_status s;
        v.phase = phase_of(w);
        if ((w & BROKEN) != 0 && (w & RESET) == 0)
            return WEFT_BROKEN;
        if ((w & RESET) != 0 || place == b->parties) {
            s = until_changed(&v, deadline, &w);
            if (s != WEFT_OK)
                return s;
            continue;
        }
        const bool last = place + 1 == b->parties;
        if (last && b->action == NULL) {
            if (!change_phase(b, &w, next_round(w)))
                continue;
            s = WEFT_OK;
        } else {
            if (!change(b, &w, w + 1))
                continue;
            v.counted = true;
            s = last ? act(&v) : until_released(&v, deadline);
        }
        if (s == WEFT_OK && weft_watching_())
            weft_watch_hears_(b, WEFT_KIND_BARRIER);
        if (s == WEFT_OK && index != NULL)
            *index = place;
        return s;
    }
}

void
weft_barrier_reset(weft_barrier *b)
{
    uint64_t w = look(b);

    for (;;) {
        const bool empty = (w & COUNT) == 0;
        if ((w & RESET) != 0 || (empty && (w & BROKEN) == 0))
            return;
        if (change_phase(b, &w, empty ? next_round(w) : w | BROKEN | RESET))
            return;
    }
}

void
weft_barrier_abort(weft_barrier *b)
{
    uint64_t w = look(b);

    while ((w & BROKEN) == 0 || (w & RESET) != 0)
        if (change_phase(b, &w, (w | BROKEN) & ~RESET))
            return;
}

bool
weft_barrier_is_broken(const weft_barrier *b)
{
    return (look(b) & (BROKEN | RESET)) == BROKEN;
}

size_t
weft_barrier_waiting(const weft_barrier *b)
{
    const uint64_t w = look(b);

    return (w & BROKEN) != 0 || (w & COUNT) == b->parties ? 0 : w & COUNT;
}

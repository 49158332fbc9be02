/* SPDX-License-Identifier: MIT */
/*
 * queue_fast.c - puts and gets of the forms without a lock: a container that
 * never waits, and two bells (queue/bell.h) for those who have to.
 *
 * A put pushes, and a get pops; then each looks whether the other side sleeps:
 * one load of a word that nobody writes while nobody does.  Everything else is
 * on the slow way, which begins where the container says full or empty.
 *
 * There a thread tries for a while, for somebody may be just about to come, and
 * then enlists with its bell, tries again, and sleeps.
 *
 * The container may say empty although there are items behind one whose push is
 * in progress (LOCKLESS).  A thread that was woken for one of those sleeps on,
 * and so the wake-up is spent; but the push in progress will ring too, and a
 * thread that slept and then found an item passes a wake-up on if there are
 * more.  So each push that ends starts a row of wake-ups, which ends where the
 * container says empty; and that is for good, or another push is in progress.
 * The same with full.
 *
 * Once the queue is discarded nobody gets an item any more: whoever finds one
 * drops it.  A push that was in progress then rings, is told so by the bell and
 * drops what it finds.
 *
 * Ordering.  The container carries the items, the bells what is looked at
 * before a sleep.
 *
 *     queue.end    a close sets `ended`  ->  who finds it set closes the
 *                  container too, and sees what was before the close
 */
#include "queue/queue_store.h"

#include <ck_pr.h>
#include <sched.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/park.h"
#include "base/sched.h"
#include "deadlock/watch.h"

typedef struct weft_queue_fast queue;

/* --- the slow way -------------------------------------------------------- */

/* What a put or a get is to do. */
struct job {
    unsigned side;   /* PUSH or POP */
    void *const *in; /* PUSH: these */
    void **out;      /* POP: to here */
    size_t n;
    size_t done;
};

static struct weft_bell *
bell_of(queue *q, unsigned side)
{
    return side == PUSH ? &q->room : &q->items;
}

/* An item was put: ring. */
enum weft_status
weft_queue_told_put_(queue *q, size_t n)
{
    if (weft_bell_ring_(&q->items, n))
        weft_queue_discard_(q);
    return WEFT_OK;
}

/* Items were taken: ring, and drop them if the queue is discarded. */
enum weft_status
weft_queue_told_get_(queue *q, void *const *items, size_t n)
{
    if (!weft_bell_ring_(&q->room, n))
        return WEFT_OK;
    for (size_t i = 0; i < n; i++)
        weft_queue_drop_(&q->base, items[i]);
    (void)weft_queue_finish_(q, n, true);
    return WEFT_CLOSED;
}

/* Do what can be done at once; WEFT_FULL or WEFT_EMPTY: nothing, and it may be
 * worth while to wait. */
static enum weft_status
try_now(queue *q, struct job *j)
{
    if (j->side == PUSH) {
        const enum weft_status s = weft_store_push_n_(q, j->in, j->n, &j->done);
        if (s != WEFT_OK)
            return s;
        WEFT_SCHED_POINT_("queue.put.pushed");
        return weft_bell_is_heard_(&q->items) ? weft_queue_told_put_(q, j->done)
                                              : WEFT_OK;
    }
    j->done = weft_store_pop_n_(q, j->out, j->n);
    if (j->done == 0)
        return WEFT_EMPTY;
    WEFT_SCHED_POINT_("queue.get.popped");
    return weft_bell_is_heard_(&q->room)
               ? weft_queue_told_get_(q, j->out, j->done)
               : WEFT_OK;
}

/* The same of a queue that may be closed. */
static enum weft_status
try_closed(queue *q, struct job *j)
{
    enum weft_status s = try_now(q, j);

    if (s != WEFT_FULL && s != WEFT_EMPTY)
        return s;
    /* acquire: queue.end */
    const uint32_t ended =
        atomic_load_explicit(&q->ended, memory_order_acquire);
    if (ended == 0)
        return s == WEFT_FULL && weft_store_is_closed_(q) ? WEFT_CLOSED : s;
    /* Who set it may not have come so far: nobody is to get an item after this
     * call was told that there is none. */
    weft_store_close_(q);
    if ((ended & WEFT_QUEUE_DISCARDED_) != 0 &&
        !weft_bell_is_dropped_(&q->room))
        weft_bell_drop_(&q->room);
    if (s == WEFT_FULL || (ended & WEFT_QUEUE_DISCARDED_) != 0)
        return WEFT_CLOSED;
    s = try_now(q, j);
    if (s == WEFT_EMPTY && weft_store_is_drained_(q))
        return WEFT_CLOSED;
    return s;
}

static bool
must_wait(enum weft_status s)
{
    return s == WEFT_FULL || s == WEFT_EMPTY;
}

/* A thread that was woken has done with its wake-up: is it of use to another?
 * Where the queue is closed, everybody has to hear that it has drained. */
static void
pass_on(queue *q, unsigned side)
{
    struct weft_bell *b = bell_of(q, side);

    if (weft_bell_is_heard_(b) &&
        (weft_store_is_ready_(q, side) || weft_queue_is_closed_fast_(&q->base)))
        (void)weft_bell_ring_(b, 1);
}

#define SPIN_NS    3000
#define PAUSE_MOST 32
#define YIELDS     4
#define SPARED     16 /* of so many spins in vain, one is made */

/* Where this thread last spun in vain for what another then did as soon as it
 * had the CPU, and how many spins it has spared itself since. */
static _Thread_local struct {
    uint32_t cpu;
    unsigned spared;
} in_vain;

static bool
is_worth_a_spin(uint32_t here)
{
    return weft_park_may_spin_() &&
           (in_vain.cpu != here || ++in_vain.spared % SPARED == 0);
}

/* Try for SPIN_NS. */
static enum weft_status
spin(queue *q, struct job *j)
{
    int64_t end_ns = 0;
    unsigned pauses = 1;

    for (;;) {
        for (unsigned i = 0; i < pauses; i++)
            ck_pr_stall();
        const enum weft_status s = try_closed(q, j);
        if (!must_wait(s))
            return s;
        if (pauses < PAUSE_MOST) {
            pauses *= 2;
            continue;
        }
        const int64_t now_ns = weft_clock_ns_();
        if (end_ns == 0)
            end_ns = now_ns + SPIN_NS;
        else if (now_ns >= end_ns)
            return s;
    }
}

/* Try for a short while. */
static enum weft_status
linger(queue *q, struct job *j)
{
    const uint32_t here = weft_park_here_();
    const bool spins = is_worth_a_spin(here);
    enum weft_status s = WEFT_EMPTY;

    if (spins) {
        s = spin(q, j);
        if (!must_wait(s)) {
            in_vain.cpu = 0;
            return s;
        }
    }
    for (int i = 0; i < YIELDS; i++) {
        sched_yield();
        s = try_closed(q, j);
        if (!must_wait(s)) {
            if (spins)
                in_vain.cpu = here;
            return s;
        }
    }
    return s;
}

/* A thread that sleeps. */
struct sleeper {
    queue *q;
    unsigned side;
};

static void
cancelled(void *arg)
{
    struct sleeper *s = arg;

    if (weft_bell_leave_(bell_of(s->q, s->side)))
        pass_on(s->q, s->side);
    weft_watch_unblock_();
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
sleep_until(queue *q, unsigned side, weft_deadline deadline)
{
    struct sleeper sleeper = {q, side};
    enum weft_status s;

    pthread_cleanup_push(cancelled, &sleeper);
    s = weft_bell_sleep_(bell_of(q, side), deadline);
    pthread_cleanup_pop(0);
    return s;
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
wait_asleep(queue *q, struct job *j, weft_deadline deadline)
{
    struct weft_bell *b = bell_of(q, j->side);
    enum weft_status slept = WEFT_OK;
    bool woken;
    enum weft_status s;

    do {
        weft_bell_enlist_(b);
        s = try_closed(q, j);
        if (must_wait(s))
            slept = sleep_until(q, j->side, deadline);
        woken = must_wait(s) && slept == WEFT_OK;
        if (!woken)
            woken = weft_bell_leave_(b);
        if (must_wait(s))
            s = try_closed(q, j);
    } while (must_wait(s) && slept == WEFT_OK);
    if (woken)
        pass_on(q, j->side);
    return must_wait(s) ? WEFT_TIMEOUT : s;
}

static WEFT_LEFT_WHEN_CANCELLED_ __attribute__((noinline)) enum weft_status
do_slowly(queue *q, struct job *j, weft_deadline deadline)
{
    enum weft_status s = try_closed(q, j);

    if (!must_wait(s) || deadline <= WEFT_NOW || deadline <= weft_clock_ns_())
        return s;
    s = linger(q, j);
    if (!must_wait(s))
        return s;
    s = weft_watch_block_(&q->base, WEFT_KIND_QUEUE, deadline);
    if (s != WEFT_OK)
        return s;
    s = wait_asleep(q, j, deadline);
    weft_watch_unblock_();
    return s;
}

WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
weft_queue_put_slowly_(struct weft_queue_fast *q, void *item,
                       weft_deadline deadline)
{
    struct job j = {.side = PUSH, .in = &item, .n = 1};

    return do_slowly(q, &j, deadline);
}

WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
weft_queue_get_slowly_(struct weft_queue_fast *q, void **item,
                       weft_deadline deadline)
{
    void *got;
    struct job j = {.side = POP, .out = &got, .n = 1};
    const enum weft_status s = do_slowly(q, &j, deadline);

    if (s == WEFT_OK)
        *item = got;
    return s;
}

WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
weft_queue_put_n_fast_(weft_queue *base, void *const *items, size_t n,
                       weft_deadline deadline, size_t *done)
{
    struct job j = {.side = PUSH, .in = items, .n = n};

    WEFT_WATCH_CALL_();
    const enum weft_status s = do_slowly(weft_queue_fast_(base), &j, deadline);

    if (s == WEFT_OK)
        *done = j.done;
    return s;
}

WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
weft_queue_get_n_fast_(weft_queue *base, void **items, size_t n,
                       weft_deadline deadline, size_t *done)
{
    struct job j = {.side = POP, .out = items, .n = n};

    WEFT_WATCH_CALL_();
    const enum weft_status s = do_slowly(weft_queue_fast_(base), &j, deadline);

    if (s == WEFT_OK)
        *done = j.done;
    return s;
}

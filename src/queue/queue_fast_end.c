/* SPDX-License-Identifier: MIT */
/*
 * queue_fast_end.c - what is done of a fast queue, and its end.
 *
 * Unfinished.  Every push has a position, so the container knows how many were
 * put; only what is done is counted here.  `done` is read first, and never
 * passes what was put: if the number put that is read after it is the same,
 * then at that moment everything was done.  For the same reason one of two marks
 * that are made at a time finds the last one made.
 *
 * A join counts itself in `joining`, looks again, and sleeps until `rounds`
 * changes; it need not look then, for who changes it has just seen that
 * everything is done, and more may have been put since.  `rounds` has 32 bits:
 * a join misses its moment only if 2^32 others, or a multiple, go by before it
 * sleeps.
 *
 * Close.  `ended` is set first, then the container is closed, and everybody who
 * finds `ended` set does the same before he answers, so who closes may be
 * stopped anywhere.  After that no push succeeds, and who waits is woken.
 *
 * Ordering.
 *
 *     queue.end    a close sets `ended`  ->  who finds it set sees what was
 *                  before the close
 *     finish       a mark counts in `done`, and perhaps in `rounds`  ->  a join
 *                  that counts it
 *     join         a join counts in `joining`  ->  a mark then looks at that; or
 *                  the mark counts in `done` first, and the join looks at that
 */
#include <pthread.h>

#include "base/park.h"
#include "base/sched.h"
#include "deadlock/watch.h"
#include "queue/queue_store.h"

typedef struct weft_queue_fast queue;

static uint64_t
done_of(const queue *q)
{
    /* seq_cst: join (and finish).  Else a join and the last mark might both
     * miss the other. */
    return atomic_load_explicit(&q->done, memory_order_seq_cst);
}

size_t
weft_queue_unfinished_fast_(const weft_queue *base)
{
    const queue *q = weft_queue_fast_const_(base);
    const uint64_t done = done_of(q);

    return (size_t)(weft_store_pushed_(q, true) - done);
}

static void
wake_joins(queue *q)
{
    /* seq_cst: join */
    if (atomic_load_explicit(&q->joining, memory_order_seq_cst) == 0)
        return;
    /* release: finish */
    atomic_fetch_add_explicit(&q->rounds, 1, memory_order_release);
    weft_park_wake_all_(&q->rounds);
}

bool
weft_queue_finish_(queue *q, uint64_t n, bool all)
{
    uint64_t done = done_of(q);
    uint64_t put;
    uint64_t next;

    do {
        next = done + n;
        put = weft_store_pushed_(q, false);
        if (put <= next)
            put = weft_store_pushed_(q, true);
        if (next > put && !all)
            return false;
        next = next < put ? next : put;
        /* seq_cst: join, finish */
    } while (!atomic_compare_exchange_weak_explicit(
        &q->done, &done, next, memory_order_seq_cst, memory_order_relaxed));
    WEFT_SCHED_POINT_("queue.done.counted");
    if (next == put)
        wake_joins(q);
    return true;
}

enum weft_status
weft_queue_task_done_fast_(weft_queue *base)
{
    return weft_queue_finish_(weft_queue_fast_(base), 1, false) ? WEFT_OK
                                                                : WEFT_INVALID;
}

static void
leave_join(void *arg)
{
    queue *q = arg;

    atomic_fetch_sub_explicit(&q->joining, 1, memory_order_relaxed);
    weft_watch_unblock_();
}

/* Whether joins were woken since `seen`. */
static bool
is_another_round(const queue *q, uint32_t seen)
{
    /* acquire: finish */
    return atomic_load_explicit(&q->rounds, memory_order_acquire) != seen;
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
sleep_joining(queue *q, uint32_t seen, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;

    /* seq_cst: join */
    atomic_fetch_add_explicit(&q->joining, 1, memory_order_seq_cst);
    WEFT_SCHED_POINT_("queue.join.told");
    pthread_cleanup_push(leave_join, q);
    while (s == WEFT_OK && !is_another_round(q, seen) &&
           weft_queue_unfinished_fast_(&q->base) != 0)
        s = weft_park_wait_cancel_(&q->rounds, seen, deadline);
    if (is_another_round(q, seen))
        s = WEFT_OK;
    pthread_cleanup_pop(1);
    return s;
}

enum weft_status
weft_queue_join_fast_(weft_queue *base, weft_deadline deadline)
{
    queue *q = weft_queue_fast_(base);
    /* acquire: finish */
    const uint32_t seen =
        atomic_load_explicit(&q->rounds, memory_order_acquire);

    if (weft_queue_unfinished_fast_(base) == 0)
        return WEFT_OK;
    if (deadline <= WEFT_NOW)
        return WEFT_TIMEOUT;
    WEFT_WATCH_CALL_();
    const enum weft_status s =
        weft_watch_block_(base, WEFT_KIND_QUEUE, deadline);
    return s == WEFT_OK ? sleep_joining(q, seen, deadline) : s;
}

bool
weft_queue_is_closed_fast_(const weft_queue *base)
{
    /* acquire: queue.end */
    return atomic_load_explicit(&weft_queue_fast_const_(base)->ended,
                                memory_order_acquire) != 0;
}

void
weft_queue_discard_(queue *q)
{
    void *item;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    while (weft_store_pop_(q, q->store, &item) == WEFT_OK) {
        weft_queue_drop_(&q->base, item);
        (void)weft_queue_finish_(q, 1, true);
    }
    pthread_setcancelstate(state, NULL);
}

void
weft_queue_close_fast_(weft_queue *base, enum weft_close how)
{
    queue *q = weft_queue_fast_(base);
    const bool discard = how == WEFT_DISCARD;

    /* release: queue.end */
    atomic_fetch_or_explicit(
        &q->ended, WEFT_QUEUE_CLOSED_ | (discard ? WEFT_QUEUE_DISCARDED_ : 0),
        memory_order_release);
    WEFT_SCHED_POINT_("queue.close.said");
    weft_store_close_(q);
    if (discard) {
        weft_bell_drop_(&q->items);
        weft_bell_drop_(&q->room);
        weft_queue_discard_(q);
    }
    weft_bell_ring_all_(&q->items);
    weft_bell_ring_all_(&q->room);
}

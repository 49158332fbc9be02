/* SPDX-License-Identifier: MIT */
/*
 * crowd.c - which workers search for work, which sleep, and who is woken.
 *
 * A worker is busy, or it searches for a few microseconds, or it sleeps on the
 * word `asleep` of its lane.  `crowd` counts the last two:
 *
 *     63         32 31          0
 *     +------------+------------+
 *     |  searching |  sleeping  |
 *     +------------+------------+
 *
 *     busy        -> searching   weft_crowd_search_, weft_crowd_soon_free_
 *     searching   -> busy        weft_crowd_busy_
 *     either      -> sleeping    weft_crowd_lie_down_; it then looks once more
 *     sleeping    -> busy        weft_crowd_busy_, a timeout
 *     sleeping    -> searching   somebody has changed `asleep` to AWAKE
 *
 * Who has put something in wakes one sleeper, and none while anybody searches:
 * the searcher finds it, or looks once more after it has lain down.  The last
 * one to search who finds something looks whether there is more, and wakes the
 * next.  So a burst wakes worker by worker, as fast as there is work for them,
 * and a single task wakes at most one.  A searcher that is after forks only
 * looks into the queue before it sleeps, and wakes one that takes from there.
 *
 * Who has a result to show searches before it shows it, if others would be
 * woken otherwise: whoever waits for the result may bring the next task before
 * this worker is back.  It does nothing but show it then, and look; what is the
 * user's (callbacks of a future, the rest of a task that ran another one while it
 * waited for room) it begins busy, and as from any search it goes on from there
 * looking whether there is more.
 *
 * How long it searches is learnt (base/patience.h).  Who has woken another gives
 * way when it waits next: the system likes to put the two on one CPU.
 *
 * The counts are exact once nobody is on the way from one state to another: a
 * sleeper counts itself before it sets `asleep`, and whoever changes that word
 * back, itself or another, takes it off.  Who is woken may have searched and
 * found something before it is counted as a searcher, so that their number is
 * -1 for a moment; it is never too high, which would leave work to nobody.
 *
 * Ordering.
 *
 *     agree    something is put in, or `asleep` is set  ->  the other side,
 *              passing weft_pool_agree_ too, sees it in its look that follows
 *     wake     `asleep` is changed by whoever wakes     ->  the sleeper goes on
 */
#include "pool/pool_impl.h"

#include "base/park.h"
#include "base/sched.h"

/* Each look takes the lines away from who is just putting something in. */
#define LOOK_PAUSES 16

#define SLEEPING     ((uint64_t)1)
#define SEARCHING    ((uint64_t)1 << 32)
#define SLEEPERS(c)  ((uint32_t)(c))
#define SEARCHERS(c) ((int32_t)((c) >> 32))

static uint64_t
count(weft_pool *p, uint64_t change)
{
    return atomic_fetch_add_explicit(&p->crowd, change, memory_order_relaxed);
}

/* Whom to wake for what there is now. */
static uint32_t
kinds_wanted(weft_pool *p)
{
    if (weft_pool_queue_is_ready_(p))
        return WEFT_LANE_FOR_ALL;
    return weft_lanes_have_work_(p) ? WEFT_LANE_FOR_ALL | WEFT_LANE_FOR_FORKS
                                    : 0;
}

static void
begin_search(struct weft_lane *lane)
{
    count(lane->pool, SEARCHING);
    lane->mode = WEFT_LANE_SEARCHING;
    weft_patience_begin_(&lane->patience, LOOK_PAUSES);
}

bool
weft_crowd_search_(struct weft_lane *lane)
{
    weft_pool *p = lane->pool;

    if (SEARCHERS(atomic_load_explicit(&p->crowd, memory_order_relaxed)) >=
        (int32_t)p->searchers_most)
        return false;
    begin_search(lane);
    return true;
}

void
weft_crowd_soon_free_(struct weft_lane *lane)
{
    weft_pool *p = lane->pool;
    const uint64_t c = atomic_load_explicit(&p->crowd, memory_order_relaxed);

    if (SLEEPERS(c) == 0 || SEARCHERS(c) > 0 || p->searchers_most == 0)
        return;
    begin_search(lane);
    WEFT_SCHED_POINT_("pool.soon_free");
}

/* Wake it; false: it does not sleep for such things. */
static bool
wake(struct weft_lane *lane, uint32_t kinds)
{
    uint32_t kind = atomic_load_explicit(&lane->asleep, memory_order_relaxed);

    /* release: wake */
    if ((kind & kinds) == 0 || !atomic_compare_exchange_strong_explicit(
                                   &lane->asleep, &kind, WEFT_LANE_AWAKE,
                                   memory_order_release, memory_order_relaxed))
        return false;
    WEFT_SCHED_POINT_("pool.woken_not_counted");
    count(lane->pool, SEARCHING - SLEEPING);
    WEFT_SCHED_POINT_("pool.waking");
    weft_park_wake_(&lane->asleep, 1);
    weft_patience_.gives_way = true;
    return true;
}

/* Wake one of those that sleep, unless somebody searches. */
static void
wake_one(weft_pool *p, uint32_t kinds)
{
    const uint64_t c = atomic_load_explicit(&p->crowd, memory_order_relaxed);

    if (kinds == 0 || SLEEPERS(c) == 0 || SEARCHERS(c) > 0)
        return;
    for (unsigned i = 0; i < p->started; i++)
        if (wake(&p->lanes[i], kinds))
            return;
}

/* The calling worker, one of the last to look, is about to do something: see to
 * it that another looks where there is more; `c` are the others. */
static void
pass_on(struct weft_lane *lane, uint64_t c)
{
    weft_pool *p = lane->pool;

    if (SEARCHERS(c) > 0 || SLEEPERS(c) == 0)
        return;
    weft_pool_agree_(p);
    const uint32_t kinds = kinds_wanted(p);
    if (kinds != 0)
        wake_one(p, kinds);
    else
        weft_lanes_ask_(p); /* for those that sleep */
}

static void
end_search(struct weft_lane *lane)
{
    pass_on(lane, count(lane->pool, 0 - SEARCHING) - SEARCHING);
}

/* It may have found something when it looked for the last time, of what came
 * while it was counted as searching: nobody else was woken for the rest. */
static void
get_up(struct weft_lane *lane)
{
    uint32_t kind = atomic_load_explicit(&lane->asleep, memory_order_relaxed);

    /* acquire: wake */
    if (kind != WEFT_LANE_AWAKE &&
        atomic_compare_exchange_strong_explicit(
            &lane->asleep, &kind, WEFT_LANE_AWAKE, memory_order_acquire,
            memory_order_relaxed))
        pass_on(lane, count(lane->pool, 0 - SLEEPING) - SLEEPING);
    else /* somebody woke us, for something that is left to others then */
        end_search(lane);
}

void
weft_crowd_busy_(struct weft_lane *lane)
{
    const enum weft_lane_mode mode = lane->mode;

    lane->mode = WEFT_LANE_BUSY;
    if (mode == WEFT_LANE_SEARCHING)
        end_search(lane);
    else if (mode == WEFT_LANE_LAIN)
        get_up(lane);
}

void
weft_crowd_lie_down_(struct weft_lane *lane, uint32_t kind)
{
    weft_pool *p = lane->pool;
    const bool searched = lane->mode == WEFT_LANE_SEARCHING;

    if (!searched)
        weft_patience_begin_(&lane->patience, LOOK_PAUSES);
    count(p, searched ? SLEEPING - SEARCHING : SLEEPING);
    lane->mode = WEFT_LANE_LAIN;
    atomic_store_explicit(&lane->asleep, kind, memory_order_relaxed);
    weft_pool_agree_(p);
    weft_lanes_ask_(p);
    WEFT_SCHED_POINT_("pool.lain_down");
    if (kind == WEFT_LANE_FOR_FORKS && weft_pool_queue_is_ready_(p))
        wake_one(p, WEFT_LANE_FOR_ALL);
}

enum weft_status
weft_crowd_sleep_(struct weft_lane *lane, weft_deadline deadline)
{
    const uint64_t parked =
        atomic_load_explicit(&lane->parked, memory_order_relaxed);

    atomic_store_explicit(&lane->parked, parked + 1, memory_order_relaxed);
    for (;;) {
        /* acquire: wake */
        const uint32_t kind =
            atomic_load_explicit(&lane->asleep, memory_order_acquire);
        if (kind == WEFT_LANE_AWAKE) {
            lane->mode = WEFT_LANE_SEARCHING;
            weft_patience_woken_(&lane->patience);
            weft_patience_begin_(&lane->patience, LOOK_PAUSES);
            return WEFT_OK;
        }
        if (weft_park_wait_(&lane->asleep, kind, deadline) == WEFT_TIMEOUT) {
            weft_crowd_busy_(lane);
            return WEFT_TIMEOUT;
        }
    }
}

void
weft_crowd_tell_(weft_pool *p, bool fork)
{
    weft_pool_agree_(p);
    wake_one(p, fork ? WEFT_LANE_FOR_ALL | WEFT_LANE_FOR_FORKS
                     : WEFT_LANE_FOR_ALL);
}

void
weft_crowd_wake_(struct weft_lane *lane)
{
    weft_pool_agree_(lane->pool);
    (void)wake(lane, WEFT_LANE_FOR_ALL | WEFT_LANE_FOR_FORKS);
}

void
weft_crowd_wake_all_(weft_pool *p)
{
    weft_pool_agree_(p);
    for (unsigned i = 0; i < p->started; i++)
        (void)wake(&p->lanes[i], WEFT_LANE_FOR_ALL | WEFT_LANE_FOR_FORKS);
}

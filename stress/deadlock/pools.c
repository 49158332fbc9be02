/* SPDX-License-Identifier: MIT */
/*
 * pools.c - tasks that wait for their own pool.
 *
 * A worker that waits for a future runs other tasks meanwhile, so one worker is
 * enough for tasks that wait for tasks.  What is left: a wait that runs nothing,
 * and futures in a circle.
 */
#include <unistd.h>

#include "hangs.h"

static weft_pool *pool;

static void
open_pool(unsigned workers)
{
    const weft_pool_options options = {.workers = workers,
                                       .name_prefix = "worker"};

    if (weft_pool_create(&pool, &options) != WEFT_OK)
        _exit(1);
}

static weft_future *
submit(weft_fn *fn, void *arg)
{
    weft_future *f;

    if (weft_pool_submit(pool, fn, arg, &f) != WEFT_OK)
        _exit(1);
    return f;
}

static void
wait_for(weft_future *f)
{
    (void)!weft_future_wait(f, WEFT_FOREVER);
}

/* --- its own pool --------------------------------------------------------- */

static weft_event half_is_done;

static void *
do_half(void *unused)
{
    weft_event_set(&half_is_done);
    return unused;
}

/* The only worker sleeps here, and the other half never runs. */
static void *
wait_asleep(void *unused)
{
    weft_future_release(submit(do_half, NULL));
    (void)!weft_event_wait(&half_is_done, WEFT_FOREVER);
    return unused;
}

static void *
wait_working(void *unused)
{
    weft_future *half = submit(do_half, NULL);

    wait_for(half);
    weft_future_release(half);
    return unused;
}

static void
run_one(weft_fn *fn)
{
    open_pool(1);
    weft_deadlock_name(&half_is_done, "half is done");
    weft_future *f = submit(fn, NULL);
    wait_for(f);
    weft_future_release(f);
    weft_pool_destroy(pool);
}

static void
own_broken(unsigned threads)
{
    (void)threads;
    run_one(wait_asleep);
}

static void
own_mended(unsigned threads)
{
    (void)threads;
    run_one(wait_working);
}

static const struct deadlock_case own_pool = {
    .says = {"A task of a pool with one worker waits for an event that another "
             "task of that",
             "pool would set; mended, it waits for the other's future, and so "
             "runs it."},
    .found = "possible deadlock: everyone",
    .broken = own_broken,
    .mended = own_mended,
};
DEADLOCK_SCENARIO(deadlock_own_pool, own_pool, "own-pool",
                  "a future that waits for its own pool");

/* --- futures in a circle -------------------------------------------------- */

static weft_future *of[2];
static weft_barrier both_are_there;

static void *
wait_for_second(void *unused)
{
    deadlock_meet(&both_are_there);
    wait_for(of[1]);
    return unused;
}

static void *
wait_for_first(void *unused)
{
    deadlock_meet(&both_are_there);
    wait_for(of[0]);
    return unused;
}

static void *
wait_for_nobody(void *unused)
{
    deadlock_meet(&both_are_there);
    return unused;
}

static void
wait_in_circle(weft_fn *first)
{
    open_pool(2);
    deadlock_meet_init(&both_are_there, 3);
    of[0] = submit(first, NULL);
    of[1] = submit(wait_for_first, NULL);
    weft_deadlock_name(of[0], "first");
    weft_deadlock_name(of[1], "second");
    deadlock_meet(&both_are_there);
    for (int i = 0; i < 2; i++)
        wait_for(of[i]);
    for (int i = 0; i < 2; i++)
        weft_future_release(of[i]);
    weft_pool_destroy(pool);
}

static void
futures_broken(unsigned threads)
{
    (void)threads;
    wait_in_circle(wait_for_second);
}

static void
futures_mended(unsigned threads)
{
    (void)threads;
    wait_in_circle(wait_for_nobody);
}

static const struct deadlock_case futures = {
    .says = {"Two tasks wait for each other's future; mended, one for the "
             "other's."},
    .found = "possible deadlock: everyone",
    .broken = futures_broken,
    .mended = futures_mended,
};
DEADLOCK_SCENARIO(deadlock_futures, futures, "futures",
                  "tasks that wait for each other's future");

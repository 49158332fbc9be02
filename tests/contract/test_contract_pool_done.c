/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool_done.c - how a pool's tasks end: called off, with their
 * pool, and who is told.
 */
#include <pthread.h>
#include <sched.h>

#include "pools.h"
#include "testing.h"

START_TEST(test_a_running_task_is_not_cancelled) /* F1 */
{
    weft_pool *p = open_pool(_i, NULL);
    struct gate g = {.entered = 0};

    weft_event_init(&g.opened);
    weft_future *f = submit(p, wait_at_gate, &g);
    while (!weft_future_is_running(f))
        sched_yield();
    ck_assert(!weft_future_cancel(f));
    ck_assert(!weft_future_is_done(f) && !weft_future_is_cancelled(f));
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_future_wait(f, WEFT_FOREVER), WEFT_OK);
    ck_assert(!weft_future_is_running(f) && !weft_future_cancel(f));
    ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

/* All workers are busy, so it stays in the queue. */
START_TEST(test_a_cancelled_future_in_the_queue_is_done_for_everyone) /* F4 */
{
    weft_pool *p = open_pool(_i, NULL);
    weft_as_completed *it = NULL;
    weft_future *next = NULL;
    weft_pool_stats stats;
    size_t done = 0;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    weft_future *f = submit(p, return_arg, NULL);
    ck_assert_int_eq(weft_as_completed_create(&it, &f, 1), WEFT_OK);
    ck_assert(weft_future_cancel(f));
    ck_assert_int_eq(weft_wait(&f, 1, WEFT_ALL_DONE, WEFT_FOREVER, &done),
                     WEFT_OK);
    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(weft_as_completed_next(it, WEFT_FOREVER, &next), WEFT_OK);
    ck_assert_ptr_eq(next, f);
    ck_assert_int_eq(weft_as_completed_next(it, WEFT_FOREVER, &next),
                     WEFT_CLOSED);
    weft_as_completed_destroy(it);
    ck_assert_int_eq(end_of(f, NULL), WEFT_CANCELLED);
    weft_pool_get_stats(p, &stats);
    ck_assert_uint_eq(stats.pending, 1);
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_finishing_can_become_cancelling) /* X6 */
{
    weft_pool *p = open_pool(_i, NULL);
    _Atomic unsigned runs = 0;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    weft_future *f = submit(p, count_one, &runs);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_NOW),
                     WEFT_TIMEOUT);
    ck_assert(!weft_future_is_done(f));
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_CANCEL_PENDING, WEFT_NOW),
                     WEFT_TIMEOUT);
    ck_assert_int_eq(end_of(f, NULL), WEFT_CANCELLED);
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert_uint_eq(atomic_load(&runs), 0);
    weft_pool_destroy(p);
}
END_TEST

/* Which take their time, after those who wait for the future are awake. */
static void
count_slowly(weft_future *f, void *count)
{
    (void)f;
    for (int i = 0; i < 100; i++)
        sched_yield();
    count_one(count);
}

START_TEST(test_every_callback_has_run_when_shutdown_returns) /* room 9 */
{
    weft_pool *p = open_pool(_i, NULL);
    _Atomic unsigned called = 0;
    weft_future *futures[20];
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 20; i++) {
        futures[i] = submit(p, return_arg, NULL);
        ck_assert_int_eq(weft_future_on_done(futures[i], count_slowly, &called),
                         WEFT_OK);
    }
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert_uint_eq(atomic_load(&called), 20);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(end_of(futures[i], NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

static pthread_t ran_in;

static void *
note_thread(void *arg)
{
    ran_in = pthread_self();
    return arg;
}

static void
note_same(weft_future *f, void *same)
{
    (void)f;
    *(bool *)same = pthread_equal(ran_in, pthread_self());
}

START_TEST(test_callbacks_run_in_the_worker_that_finishes) /* F3 */
{
    weft_pool *p = open_pool(_i, NULL);
    bool same = false;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    weft_future *f = submit(p, note_thread, NULL);
    ck_assert_int_eq(weft_future_on_done(f, note_same, &same), WEFT_OK);
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
    ck_assert(same);
    ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_a_running_task_is_not_cancelled, POOLS},
        {&test_a_cancelled_future_in_the_queue_is_done_for_everyone, POOLS},
        {&test_finishing_can_become_cancelling, POOLS},
        {&test_callbacks_run_in_the_worker_that_finishes, POOLS},
        {&test_every_callback_has_run_when_shutdown_returns, POOLS},
    };

    return run_tests("pool done", tests, sizeof(tests) / sizeof(tests[0]), 30);
}

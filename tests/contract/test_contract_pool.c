/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool.c - what becomes of what is submitted.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "pools.h"
#include "testing.h"

#define MANY 2000

START_TEST(test_result_is_what_the_task_returned)
{
    weft_pool *p = open_pool(_i, NULL);
    void *result = &p;

    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), &result), WEFT_OK);
    ck_assert_ptr_null(result);
    ck_assert_int_eq(end_of(submit(p, return_arg, p), &result), WEFT_OK);
    ck_assert_ptr_eq(result, p);
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_failure_carries_code_and_message)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *f = submit(p, fail_it, NULL);
    const weft_error *e = NULL;

    ck_assert_int_eq(weft_future_error(f, WEFT_FOREVER, &e), WEFT_FAILED);
    ck_assert_int_eq(e->code, 7);
    ck_assert_str_eq(e->message, "not 0");
    weft_future_release(f);
    ck_assert_int_eq(weft_pool_submit(p, fail_it, p, NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_every_task_runs_exactly_once)
{
    static _Atomic unsigned runs[MANY];
    weft_pool *p = open_pool(_i, NULL);

    for (int i = 0; i < MANY; i++) {
        atomic_store(&runs[i], 0);
        ck_assert_int_eq(weft_pool_submit(p, count_one, &runs[i], NULL),
                         WEFT_OK);
    }
    weft_pool_destroy(p);
    for (int i = 0; i < MANY; i++)
        ck_assert_uint_eq(atomic_load(&runs[i]), 1);
}
END_TEST

static void *
submit_many(void *arg)
{
    static _Atomic unsigned next;
    _Atomic unsigned *runs = ((void **)arg)[1];

    for (int i = 0; i < MANY; i++)
        if (weft_pool_submit(((void **)arg)[0], count_one,
                             &runs[atomic_fetch_add(&next, 1)],
                             NULL) != WEFT_OK)
            abort();
    return NULL;
}

START_TEST(test_several_submitters)
{
    static _Atomic unsigned runs[4 * MANY];
    pthread_t threads[4];
    weft_pool *p = open_pool(_i, NULL);
    void *arg[2] = {p, runs};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, submit_many, arg),
                         0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    weft_pool_destroy(p);
    for (int i = 0; i < 4 * MANY; i++)
        ck_assert_uint_eq(atomic_load(&runs[i]), 1);
}
END_TEST

static int order[9];
static _Atomic int ordered;

static void *
note_order(void *arg)
{
    order[atomic_fetch_add(&ordered, 1)] = *(int *)arg;
    return NULL;
}

START_TEST(test_priorities_then_order_of_coming)
{
    static const enum weft_priority of[3] = {
        WEFT_PRIORITY_LOW, WEFT_PRIORITY_NORMAL, WEFT_PRIORITY_HIGH};
    int numbers[9];
    struct gate g;
    weft_pool *p = open_pool_of(_i, 1);

    occupy(&g, p, 1);
    for (int i = 0; i < 9; i++) {
        numbers[i] = (2 - i % 3) * 3 + i / 3; /* when it is to run */
        ck_assert_int_eq(weft_pool_submit_until(p, note_order, &numbers[i],
                                                of[i % 3], WEFT_NOW, NULL),
                         WEFT_OK);
    }
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq(order[i], i);
}
END_TEST

/* --- a task that waits for tasks of its pool -------------------------------- */

struct deep {
    weft_pool *pool;
    int depth;
};

static void *
go_deeper(void *arg)
{
    const struct deep *d = arg;
    struct deep next = {d->pool, d->depth - 1};
    void *below = NULL;

    if (d->depth == 0)
        return NULL;
    if (end_of(submit(d->pool, go_deeper, &next), &below) != WEFT_OK)
        abort();
    return (void *)((size_t)below + 1);
}

START_TEST(test_task_waits_for_tasks_of_its_pool_to_any_depth)
{
    weft_pool *p = open_pool(_i, NULL);
    struct deep d = {p, 200};
    void *depth = NULL;

    ck_assert_int_eq(end_of(submit(p, go_deeper, &d), &depth), WEFT_OK);
    ck_assert_uint_eq((size_t)depth, 200);
    weft_pool_destroy(p);
}
END_TEST

static void *
wait_for_many(void *pool)
{
    weft_future *futures[20];
    size_t done;

    for (int i = 0; i < 20; i++)
        futures[i] = submit(pool, return_arg, pool);
    if (weft_wait(futures, 20, WEFT_ALL_DONE, WEFT_FOREVER, &done) != WEFT_OK ||
        done != 20)
        abort();
    for (int i = 0; i < 20; i++)
        weft_future_release(futures[i]);
    return pool;
}

START_TEST(test_task_waits_for_several_tasks_of_its_pool)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *f = submit(p, wait_for_many, p);
    weft_future *g = submit(p, wait_for_many, p);

    ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
    ck_assert_int_eq(end_of(g, NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

static void *
wait_for_future(void *f)
{
    void *result = NULL;

    if (weft_future_result(f, WEFT_FOREVER, &result) != WEFT_OK)
        abort();
    return result;
}

static void *
keep_promise(void *f)
{
    if (weft_future_set_result(f, f) != WEFT_OK)
        abort();
    return NULL;
}

/* All workers wait for what only a task can bring that comes later. */
START_TEST(test_workers_that_wait_run_what_comes)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *promise;
    weft_future *waits[8];
    void *result;

    ck_assert_int_eq(weft_future_create(&promise), WEFT_OK);
    for (unsigned i = 0; i < weft_pool_workers(p); i++)
        waits[i] = submit(p, wait_for_future, promise);
    for (unsigned i = 0; i < weft_pool_workers(p); i++)
        while (!weft_future_is_running(waits[i]))
            sched_yield();
    ck_assert_int_eq(weft_pool_submit(p, keep_promise, promise, NULL), WEFT_OK);
    for (unsigned i = 0; i < weft_pool_workers(p); i++) {
        ck_assert_int_eq(end_of(waits[i], &result), WEFT_OK);
        ck_assert_ptr_eq(result, promise);
    }
    weft_future_release(promise);
    weft_pool_destroy(p);
}
END_TEST

static void *
wait_shortly(void *f)
{
    const weft_deadline d = weft_in_ms(2);
    const enum weft_status s = weft_future_wait(f, d);

    if (s == WEFT_TIMEOUT && weft_clock_ns_() < d)
        abort();
    return s == WEFT_TIMEOUT ? f : NULL;
}

START_TEST(test_task_waits_no_longer_than_its_deadline)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *promise;
    void *result = NULL;

    ck_assert_int_eq(weft_future_create(&promise), WEFT_OK);
    ck_assert_int_eq(end_of(submit(p, wait_shortly, promise), &result),
                     WEFT_OK);
    ck_assert_ptr_eq(result, promise);
    ck_assert(weft_future_cancel(promise));
    weft_future_release(promise);
    weft_pool_destroy(p);
}
END_TEST

static void *
wait_for_itself(void *box)
{
    weft_future *_Atomic *own = box;
    weft_future *f;

    while ((f = atomic_load(own)) == NULL)
        sched_yield();
    return weft_future_wait(f, WEFT_FOREVER) == WEFT_DEADLOCK ? box : NULL;
}

START_TEST(test_task_that_waits_for_itself_is_a_deadlock)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *_Atomic own = NULL;
    weft_future *f = submit(p, wait_for_itself, &own);
    void *result = NULL;

    atomic_store(&own, f);
    ck_assert_int_eq(end_of(f, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &own);
    weft_pool_destroy(p);
}
END_TEST

/* --- cancelled, stopped ---------------------------------------------------- */

START_TEST(test_cancelled_task_does_not_run_and_its_argument_is_dropped)
{
    const weft_pool_options o = {.drop = drop_counted};
    _Atomic unsigned runs = 0;
    struct gate g;
    weft_pool *p = open_pool(_i, &o);

    occupy(&g, p, weft_pool_workers(p));
    weft_future *f = submit(p, count_one, &runs);
    ck_assert(weft_future_cancel(f));
    ck_assert_int_eq(end_of(f, NULL), WEFT_CANCELLED);
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
    ck_assert_uint_eq(atomic_load(&runs), 0);
    ck_assert_uint_eq(atomic_load(&drops), 1);
    ck_assert_ptr_eq(atomic_load(&last_dropped), &runs);
}
END_TEST

static void *
until_stopped(void *entered)
{
    atomic_store((_Atomic bool *)entered, true);
    while (!weft_task_cancelled())
        sched_yield();
    return entered;
}

START_TEST(test_stop_is_seen_by_the_running_task)
{
    weft_pool *p = open_pool(_i, NULL);
    _Atomic bool entered = false;
    weft_future *f = submit(p, until_stopped, &entered);

    while (!atomic_load(&entered))
        sched_yield();
    ck_assert(!weft_task_cancelled());
    weft_future_request_stop(f);
    ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

/* What runs on top of a stopped task is not stopped. */
static void *
is_stopped(void *arg)
{
    return weft_task_cancelled() ? arg : NULL;
}

static void *
stop_and_run_another(void *box)
{
    weft_pool *p = ((void **)box)[0];
    void *result = box;

    while (!weft_task_cancelled())
        sched_yield();
    if (end_of(submit(p, is_stopped, box), &result) != WEFT_OK)
        abort();
    if (!weft_task_cancelled() || result != NULL)
        return NULL;
    return box;
}

START_TEST(test_stop_is_for_that_task_only)
{
    weft_pool *p = open_pool(_i, NULL);
    void *box[1] = {p};
    void *result = NULL;
    weft_future *f = submit(p, stop_and_run_another, box);

    weft_future_request_stop(f);
    ck_assert_int_eq(end_of(f, &result), WEFT_OK);
    ck_assert_ptr_eq(result, box);
    weft_pool_destroy(p);
}
END_TEST

/* --- back-pressure ---------------------------------------------------------- */

START_TEST(test_submit_waits_for_room_until_its_deadline)
{
    const weft_pool_options o = {.max_pending = 2};
    weft_pool *p = open_pool(_i, &o);
    struct gate g;
    weft_future *f = NULL;

    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(weft_pool_submit_until(p, return_arg, NULL,
                                                WEFT_PRIORITY_HIGH, WEFT_NOW,
                                                NULL),
                         WEFT_OK);
    ck_assert_int_eq(weft_pool_submit_until(p, return_arg, NULL,
                                            WEFT_PRIORITY_HIGH, WEFT_NOW, &f),
                     WEFT_TIMEOUT);
    const weft_deadline d = weft_in_ms(2);
    ck_assert_int_eq(
        weft_pool_submit_until(p, return_arg, NULL, WEFT_PRIORITY_LOW, d, &f),
        WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), d);
    ck_assert_ptr_null(f);
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, &f), WEFT_OK);
    ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

struct crowd {
    weft_pool *pool;
    _Atomic unsigned *runs;
    int depth;
};

static void *
submit_two(void *arg)
{
    struct crowd *c = arg;

    count_one(c->runs);
    if (c->depth > 0)
        for (int i = 0; i < 2; i++)
            if (weft_pool_submit(c->pool, submit_two, c - 1, NULL) != WEFT_OK)
                abort();
    return NULL;
}

START_TEST(test_tasks_submit_without_room)
{
    const weft_pool_options o = {.max_pending = 1};
    weft_pool *p = open_pool(_i, &o);
    _Atomic unsigned runs = 0;
    struct crowd levels[9];

    for (int i = 0; i < 9; i++)
        levels[i] = (struct crowd){p, &runs, i};
    ck_assert_int_eq(weft_pool_submit(p, submit_two, &levels[8], NULL),
                     WEFT_OK);
    while (atomic_load(&runs) != 511)
        sched_yield();
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_stats_count)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_pool_stats stats;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, NULL), WEFT_OK);
    weft_pool_get_stats(p, &stats);
    ck_assert_uint_eq(stats.pending, 5);
    ck_assert_uint_eq(stats.injected, weft_pool_workers(p) + 5);
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    weft_pool_get_stats(p, &stats);
    ck_assert_uint_eq(stats.pending, 0);
    ck_assert_uint_eq(stats.executed, weft_pool_workers(p) + 5);
    ck_assert_uint_eq(stats.injected, weft_pool_workers(p) + 5);
    ck_assert_uint_eq(stats.stolen, 0);
    weft_pool_destroy(p);
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_result_is_what_the_task_returned, POOLS},
        {&test_failure_carries_code_and_message, POOLS},
        {&test_every_task_runs_exactly_once, POOLS},
        {&test_several_submitters, POOLS},
        {&test_priorities_then_order_of_coming, POOLS},
        {&test_task_waits_for_tasks_of_its_pool_to_any_depth, POOLS},
        {&test_task_waits_for_several_tasks_of_its_pool, POOLS},
        {&test_workers_that_wait_run_what_comes, POOLS},
        {&test_task_waits_no_longer_than_its_deadline, POOLS},
        {&test_task_that_waits_for_itself_is_a_deadlock, POOLS},
        {&test_cancelled_task_does_not_run_and_its_argument_is_dropped, POOLS},
        {&test_stop_is_seen_by_the_running_task, POOLS},
        {&test_stop_is_for_that_task_only, POOLS},
        {&test_submit_waits_for_room_until_its_deadline, POOLS},
        {&test_tasks_submit_without_room, POOLS},
        {&test_stats_count, POOLS},
    };

    return run_tests("pool", tests, sizeof(tests) / sizeof(tests[0]), 30);
}

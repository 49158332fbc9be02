/* SPDX-License-Identifier: MIT */
/*
 * test_pool.c - pools without memory, and idle ones.
 */
#include <weft/pool.h>

#include <stdlib.h>
#include <time.h>

#include "alloc_fail.h"
#include "base/reclaim.h"
#include "pools.h"
#include "testing.h"

START_TEST(test_create_without_memory_changes_nothing)
{
    const weft_pool_options o = {.workers = 3, .impl = pool_impl_of(_i)};

    for (unsigned k = 1;; k++) {
        weft_pool *p = NULL;
        alloc_fail_at(k);
        const enum weft_status s = weft_pool_create(&p, &o);
        const unsigned asked = alloc_fail_stop();
        if (s == WEFT_OK) /* perhaps with fewer workers */
            ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL),
                             WEFT_OK);
        else
            ck_assert_ptr_null(p);
        weft_pool_destroy(p);
        ck_assert(s == WEFT_OK || (asked >= k && s == WEFT_NO_MEMORY));
        weft_reclaim_barrier_();
        /* Records of threads and their names wait until there are many. */
        ck_assert_uint_le(alloc_live(), 2 * 3 * k);
        if (asked < k)
            break;
    }
}
END_TEST

START_TEST(test_destroyed_pool_gives_its_memory_back)
{
    weft_pool *p = NULL;
    const weft_pool_options o = {.workers = 1, .impl = pool_impl_of(_i)};

    alloc_fail_at(0);
    const enum weft_status s = weft_pool_create(&p, &o);
    alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL), WEFT_OK);
    weft_pool_destroy(p);
    weft_reclaim_barrier_();
    ck_assert_uint_le(alloc_live(), 2); /* the thread's record and name */
}
END_TEST

START_TEST(test_submit_without_memory_changes_nothing)
{
    const weft_pool_options o = {
        .workers = 1, .max_pending = 1, .drop = drop_counted};

    for (unsigned k = 1;; k++) {
        weft_pool *p = open_pool(_i, &o);
        weft_future *f = NULL;
        struct gate g;
        occupy(&g, p, 1);
        alloc_fail_at(k);
        const enum weft_status s = weft_pool_submit(p, return_arg, p, &f);
        const unsigned asked = alloc_fail_stop();
        if (s != WEFT_OK) {
            ck_assert_int_eq(s, WEFT_NO_MEMORY);
            ck_assert_ptr_null(f);
            /* There is room as before. */
            ck_assert_int_eq(weft_pool_submit_until(p, return_arg, p,
                                                    WEFT_PRIORITY_NORMAL,
                                                    WEFT_NOW, NULL),
                             WEFT_OK);
        }
        weft_event_set(&g.opened);
        weft_future_release(f);
        weft_pool_destroy(p);
        weft_reclaim_barrier_();
        ck_assert_uint_eq(alloc_live(), 0);
        ck_assert(s == WEFT_OK || asked >= k);
        if (asked < k)
            break;
    }
    ck_assert_uint_eq(atomic_load(&drops), 0);
}
END_TEST

/* Nothing but the room of the queue, which a few have without asking for it. */
START_TEST(test_a_submit_without_a_future_needs_no_memory)
{
    weft_pool *p = open_pool_of(_i, 1);
    struct gate g;

    occupy(&g, p, 1);
    alloc_fail_at(1);
    enum weft_status s = WEFT_OK;
    for (unsigned i = 0; i < 50; i++)
        s = s == WEFT_OK ? weft_pool_submit(p, return_arg, p, NULL) : s;
    const unsigned asked = alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_uint_eq(asked, 0);
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
}
END_TEST

static unsigned long ran[3]; /* the worker's: how many, of each priority */

static void *
run_in_turn(void *number)
{
    const uintptr_t i = (uintptr_t)number;

    return (void *)(uintptr_t)(ran[i % 3]++ != i / 3);
}

/* More than the queue has room for at first, and more than once round. */
START_TEST(test_many_that_wait_run_in_the_order_of_their_coming)
{
    enum { MANY = 3 * 5000 };
    weft_pool *p = open_pool_of(_i, 1);
    static weft_future *futures[MANY];
    void *late = NULL;
    struct gate g;

    occupy(&g, p, 1);
    for (uintptr_t i = 0; i < MANY; i++)
        ck_assert_int_eq(weft_pool_submit_until(p, run_in_turn, (void *)i,
                                                (enum weft_priority)(i % 3),
                                                WEFT_NOW, &futures[i]),
                         WEFT_OK);
    weft_event_set(&g.opened);
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_int_eq(end_of(futures[i], &late), WEFT_OK);
        ck_assert_ptr_null(late);
    }
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_a_run_needs_no_memory)
{
    weft_pool *p = open_pool(_i, NULL);
    struct fib root = {.n = 15};

    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL), WEFT_OK);
    alloc_fail_at(1);
    const enum weft_status s = weft_pool_run(p, &root.task, run_fib);
    const unsigned asked = alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_uint_eq(asked, 0);
    ck_assert_int_eq(root.n, fib_of(15));
    weft_pool_destroy(p);
}
END_TEST

static int64_t
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A sleeping pool takes nothing: what it took is less than any spinning would
 * take in the same time. */
START_TEST(test_idle_pool_sleeps)
{
    weft_pool *p = open_pool(_i, NULL);
    struct fib root = {.n = 10};
    weft_pool_stats stats;
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};

    ck_assert_int_eq(weft_pool_run(p, &root.task, run_fib), WEFT_OK);
    do
        weft_pool_get_stats(p, &stats);
    while (stats.parked < weft_pool_workers(p));
    const uint64_t parked = stats.parked;
    const int64_t before = cpu_ns();
    nanosleep(&pause, NULL);
    const int64_t took = cpu_ns() - before;
    weft_pool_get_stats(p, &stats);
    ck_assert_uint_le(stats.parked, parked + weft_pool_workers(p));
    ck_assert_int_lt(took, pause.tv_nsec / 2);
    weft_pool_destroy(p);
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_create_without_memory_changes_nothing, POOLS},
        {&test_destroyed_pool_gives_its_memory_back, POOLS},
        {&test_submit_without_memory_changes_nothing, POOLS},
        {&test_a_run_needs_no_memory, POOLS},
        {&test_a_submit_without_a_future_needs_no_memory, POOLS},
        {&test_many_that_wait_run_in_the_order_of_their_coming, POOLS},
        {&test_idle_pool_sleeps, POOLS},
    };

    return run_tests("pool memory", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_parallel.c - loops and reductions.
 */
#include <weft/barrier.h>
#include <weft/parallel.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "every_pool.h"
#include "testing.h"

static _Atomic unsigned calls;
static _Atomic unsigned most; /* how many numbers a part had */

static void
count_range(size_t begin, size_t end, void *ctx)
{
    must(ctx == &pool && begin < end && end <= N);
    for (size_t i = begin; i < end; i++)
        count_one(&cells[i].times);
    count_one(&calls);
    unsigned seen = relaxed(&most);
    while (end - begin > seen &&
           !atomic_compare_exchange_weak_explicit(
               &most, &seen, (unsigned)(end - begin), memory_order_relaxed,
               memory_order_relaxed))
        ;
}

static void
loop_over_ranges(void)
{
    static const size_t grains[] = {0, 1, 7, N - 1, N, SIZE_MAX};
    static const size_t ranges[][2] = {
        {0, N}, {0, 1}, {N - 1, N}, {17, 18 + 64}, {1, 4096}};

    for (size_t g = 0; g < sizeof(grains) / sizeof(grains[0]); g++)
        for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
            const size_t begin = ranges[r][0];
            const size_t end = ranges[r][1];
            atomic_store_explicit(&most, 0, memory_order_relaxed);
            must(weft_parallel_for(pool, begin, end, grains[g], count_range,
                                   &pool) == WEFT_OK);
            expect_each(begin, end, 1);
            must(grains[g] == 0 || relaxed(&most) <= grains[g]);
        }
}

START_TEST(test_a_loop_calls_each_number_once_in_parts_of_the_grain)
{
    run_where(_i, loop_over_ranges);
}
END_TEST

static void
loop_over_nothing(void)
{
    must(weft_parallel_for(pool, 5, 5, 0, count_range, &pool) == WEFT_OK);
    must(weft_parallel_for(pool, 5, 4, 1, count_range, &pool) == WEFT_OK);
    must(weft_parallel_for(pool, 0, 5, 1, NULL, &pool) == WEFT_INVALID);
    must(weft_parallel_map(pool, NULL, NULL, NULL, 0, WEFT_NOW, NULL) ==
         WEFT_INVALID);
    must(weft_parallel_invoke(pool, NULL, NULL, NULL, 0, NULL) == WEFT_OK);
    must(relaxed(&calls) == 0);
}

START_TEST(test_a_loop_over_nothing_calls_nothing)
{
    run_where(_i, loop_over_nothing);
}
END_TEST

/* Nested three deep; who runs it notes itself. */
static pthread_t seen[64];
static _Atomic unsigned seen_count;
static __thread bool is_noted;

static void
note_thread(void)
{
    if (is_noted)
        return;
    is_noted = true;
    const unsigned i =
        atomic_fetch_add_explicit(&seen_count, 1, memory_order_relaxed);
    must(i < 64);
    seen[i] = pthread_self();
}

static void
loop_inside(size_t begin, size_t end, void *ctx)
{
    const size_t depth = (size_t)ctx;

    note_thread();
    for (size_t i = begin; i < end; i++)
        if (depth == 0)
            count_one(&calls);
        else
            must(weft_parallel_for(pool, 0, 9, depth % 2, loop_inside,
                                   (void *)(depth - 1)) == WEFT_OK);
}

static void
loop_deep(void)
{
    must(weft_parallel_for(pool, 0, 9, 1, loop_inside, (void *)3) == WEFT_OK);
    must(relaxed(&calls) == 9 * 9 * 9 * 9);
    must(relaxed(&seen_count) <= workers);
}

START_TEST(test_loops_within_loops_need_no_more_threads)
{
    run_where(_i, loop_deep);
}
END_TEST

static weft_barrier meeting;

static void
meet_all(size_t begin, size_t end, void *ctx)
{
    must(begin + 1 == end && ctx == NULL);
    must(weft_barrier_wait(&meeting, WEFT_FOREVER, NULL) == WEFT_OK);
}

static void
loop_of_meetings(void)
{
    for (unsigned parts = 1; parts <= workers; parts *= 2) {
        must(weft_barrier_init(&meeting, parts, NULL, NULL) == WEFT_OK);
        for (int i = 0; i < 50; i++)
            must(weft_parallel_for(pool, 0, parts, 1, meet_all, NULL) ==
                 WEFT_OK);
    }
}

START_TEST(test_parts_that_take_long_run_at_the_same_time)
{
    run_where(_i, loop_of_meetings);
}
END_TEST

static __thread bool is_initialized;

static enum weft_status
initialize(void *ctx)
{
    (void)ctx;
    is_initialized = true;
    return WEFT_OK;
}

static void
see_initialized(size_t begin, size_t end, void *ctx)
{
    must(is_initialized);
    count_range(begin, end, ctx);
}

START_TEST(test_a_pool_with_an_initializer_does_all_in_its_workers)
{
    const weft_pool_options options = {
        .workers = 2,
        .impl = _i == 0 ? WEFT_LOCKFREE : WEFT_MUTEX,
        .initializer = initialize,
    };

    ck_assert_int_eq(weft_pool_create(&pool, &options), WEFT_OK);
    ck_assert_int_eq(weft_parallel_for(pool, 0, N, 0, see_initialized, &pool),
                     WEFT_OK);
    expect_each(0, N, 1);
    weft_pool_destroy(pool);
}
END_TEST

/* A reduction whose combination is not commutative: the numbers in a row. */
struct row {
    size_t first;
    size_t end; /* 0: empty */
};

static void
fold_row(void *into, size_t begin, size_t end, void *ctx)
{
    struct row *row = into;

    must(ctx == &pool);
    if (row->end == 0)
        row->first = begin;
    else
        must(row->end == begin);
    row->end = end;
}

static void
combine_rows(void *into, const void *from, void *ctx)
{
    struct row *a = into;
    const struct row *b = from;

    must(ctx == &pool);
    must(a->end == b->first && b->end > b->first);
    a->end = b->end;
}

struct large {
    struct row row;
    char rest[500]; /* more than needs no allocation */
};

static void
reduce(void)
{
    for (size_t grain = 0; grain < 40; grain += 13) {
        struct row row = {0, 0};
        struct large large = {{0, 0}, "rest"};
        must(weft_parallel_reduce(pool, 3, N, grain, sizeof(row), &row,
                                  fold_row, combine_rows, &pool) == WEFT_OK);
        must(row.first == 3 && row.end == N);
        must(weft_parallel_reduce(pool, 3, N, grain, sizeof(large), &large,
                                  fold_row, combine_rows, &pool) == WEFT_OK);
        must(large.row.first == 3 && large.row.end == N);
        must(strcmp(large.rest, "rest") == 0);
    }
    struct row row = {1, 2};
    must(weft_parallel_reduce(pool, 4, 4, 0, sizeof(row), &row, fold_row,
                              combine_rows, &pool) == WEFT_OK);
    must(row.first == 1 && row.end == 2);
    must(weft_parallel_reduce(pool, 0, 4, 0, 0, &row, fold_row, combine_rows,
                              NULL) == WEFT_INVALID);
    must(weft_parallel_reduce(pool, 0, 4, 0, 8, NULL, fold_row, combine_rows,
                              NULL) == WEFT_INVALID);
    must(weft_parallel_reduce(pool, 0, 4, 0, 8, &row, NULL, combine_rows,
                              NULL) == WEFT_INVALID);
    must(weft_parallel_reduce(pool, 0, 4, 0, 8, &row, fold_row, NULL, NULL) ==
         WEFT_INVALID);
}

START_TEST(test_a_reduction_combines_neighbours_in_their_order)
{
    run_where(_i, reduce);
}
END_TEST

START_TEST(test_a_reduction_fails_before_it_begins_or_not_at_all)
{
    open_pool(_i);
    for (unsigned k = 1; k < 9; k++) {
        struct large large = {{0, 0}, "rest"};
        alloc_fail_at(k);
        const enum weft_status s =
            weft_parallel_reduce(pool, 3, N, 1, sizeof(large), &large, fold_row,
                                 combine_rows, &pool);
        const unsigned asked = alloc_fail_stop();
        must(s == (k == 1 ? WEFT_NO_MEMORY : WEFT_OK) ||
             (s == WEFT_NO_MEMORY && asked >= k));
        must(large.row.first == (s == WEFT_OK ? 3 : 0));
        must(large.row.end == (s == WEFT_OK ? N : 0));
        must(alloc_live() == 0);
    }
    weft_pool_destroy(pool);
}
END_TEST

START_TEST(test_a_pool_that_is_shut_down_takes_none)
{
    struct row row = {0, 0};

    open_pool(_i);
    ck_assert_int_eq(weft_pool_shutdown(pool, WEFT_FINISH, WEFT_FOREVER),
                     WEFT_OK);
    ck_assert_int_eq(weft_parallel_for(pool, 0, 9, 0, count_range, &pool),
                     WEFT_CLOSED);
    ck_assert_int_eq(weft_parallel_reduce(pool, 0, 9, 0, sizeof(row), &row,
                                          fold_row, combine_rows, &pool),
                     WEFT_CLOSED);
    ck_assert_uint_eq(relaxed(&calls), 0);
    weft_pool_destroy(pool);
}
END_TEST

static const struct test tests[] = {
    {&test_a_loop_calls_each_number_once_in_parts_of_the_grain, VARIANTS},
    {&test_a_loop_over_nothing_calls_nothing, VARIANTS},
    {&test_loops_within_loops_need_no_more_threads, VARIANTS},
    {&test_parts_that_take_long_run_at_the_same_time, VARIANTS},
    {&test_a_pool_with_an_initializer_does_all_in_its_workers, 2},
    {&test_a_reduction_combines_neighbours_in_their_order, VARIANTS},
    {&test_a_reduction_fails_before_it_begins_or_not_at_all, 6},
    {&test_a_pool_that_is_shut_down_takes_none, 6},
};

int
main(void)
{
    return run_tests("parallel", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

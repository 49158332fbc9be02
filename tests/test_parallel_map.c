/* SPDX-License-Identifier: MIT */
/*
 * test_parallel_map.c - maps and calls.
 */
#include <weft/event.h>
#include <weft/parallel.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/fail.h"
#include "every_pool.h"
#include "testing.h"

/* Maps: an item is the address of a number's counter. */
static void *items[N];
static void *results[N];

static void
make_items(void)
{
    for (size_t i = 0; i < N; i++) {
        items[i] = &cells[i];
        results[i] = NULL;
    }
}

static void *
count_item(void *item)
{
    count_one(&((struct cell *)item)->times);
    return item;
}

static void
map_all(void)
{
    make_items();
    must(weft_parallel_map(pool, count_item, items, results, N, WEFT_FOREVER,
                           NULL) == WEFT_OK);
    for (size_t i = 0; i < N; i++)
        must(results[i] == items[i]);
    expect_each(0, N, 1);
    must(weft_parallel_map(pool, count_item, items, items, N, weft_in_s(1000),
                           NULL) == WEFT_OK);
    must(weft_parallel_map(pool, count_item, items, NULL, N, WEFT_FOREVER,
                           NULL) == WEFT_OK);
    expect_each(0, N, 2);
    weft_failure failure = {77, NULL};
    must(weft_parallel_map(pool, count_item, items, results, 0, WEFT_NOW,
                           &failure) == WEFT_OK);
    must(failure.index == 77);
}

START_TEST(test_a_map_has_the_results_in_the_order_of_the_items)
{
    run_where(_i, map_all);
}
END_TEST

static size_t
index_of(const void *item)
{
    return (size_t)((const struct cell *)item - cells);
}

static void *
fail_from_1000(void *item)
{
    count_one(&((struct cell *)item)->times);
    return index_of(item) >= 1000
               ? weft_fail((int)index_of(item), "at %zu", index_of(item))
               : item;
}

static void
note_failure_only(size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    (void)ctx;
    const void *value = weft_fail(1, "nobody returns it");
    (void)value;
}

static void
map_failing(void)
{
    weft_failure failure;

    make_items();
    must(weft_parallel_map(pool, fail_from_1000, items, results, N,
                           WEFT_FOREVER, &failure) == WEFT_FAILED);
    must(weft_parallel_for(pool, 0, N, 1, note_failure_only, NULL) == WEFT_OK);
    must(failure.index == 1000 && failure.error->code == 1000);
    must(strcmp(failure.error->message, "at 1000") == 0);
    unsigned after = 0;
    for (size_t i = 0; i < N; i++) {
        must(i > 1000 || relaxed(&cells[i].times) == 1);
        must(results[i] == (i < 1000 ? items[i] : NULL));
        after += i > 1000 ? relaxed(&cells[i].times) : 0;
    }
    must(workers > 1 || after == 0);
    must(weft_parallel_map(pool, fail_from_1000, items, NULL, N, WEFT_FOREVER,
                           NULL) == WEFT_FAILED);
}

START_TEST(test_the_first_failure_in_the_order_of_the_items_ends_a_map) /* X3 */
{
    run_where(_i, map_failing);
}
END_TEST

static weft_deadline soon;

static void *
wait_until_late(void *item)
{
    count_one(&((struct cell *)item)->times);
    while (weft_clock_ns_() < soon)
        sched_yield();
    return item;
}

static void
map_late(void)
{
    make_items();
    must(weft_parallel_map(pool, count_item, items, results, N, WEFT_NOW,
                           NULL) == WEFT_TIMEOUT);
    expect_each(0, 0, 0);
    soon = weft_in_ms(3);
    must(weft_parallel_map(pool, wait_until_late, items, results, N, soon,
                           NULL) == WEFT_TIMEOUT);
    must(weft_clock_ns_() >= soon);
    for (size_t i = 0; i < N; i++)
        must(results[i] == (relaxed(&cells[i].times) == 1 ? items[i] : NULL));
}

START_TEST(test_after_the_deadline_none_is_begun)
{
    run_where(_i, map_late);
}
END_TEST

static void *
fail_plainly(void *item)
{
    return weft_fail(6, "%s", (const char *)item);
}

static void
invoke(void)
{
    weft_fn *fns[] = {count_item, count_item, fail_plainly, fail_plainly};
    void *args[] = {&cells[0], &cells[1], "two", "three"};
    void *out[4] = {NULL};
    weft_failure failure;

    must(weft_parallel_invoke(pool, fns, args, out, 2, NULL) == WEFT_OK);
    must(out[0] == args[0] && out[1] == args[1]);
    must(weft_parallel_invoke(pool, fns, args, NULL, 4, &failure) ==
         WEFT_FAILED);
    must(failure.index == 2 && strcmp(failure.error->message, "two") == 0);
    expect_each(0, 2, 2);
    fns[1] = NULL;
    must(weft_parallel_invoke(pool, fns, args, out, 2, NULL) == WEFT_INVALID);
}

START_TEST(test_invoke_calls_each_function_with_its_argument)
{
    run_where(_i, invoke);
}
END_TEST

/* A task that has noted its failure and makes loops before it returns it. */
static void *
fail_around_loops(void *arg)
{
    void *value = weft_fail(4, "the task's");

    must(weft_parallel_for(pool, 0, 100, 1, note_failure_only, NULL) ==
         WEFT_OK);
    must(weft_parallel_map(pool, count_item, items, results, N, WEFT_FOREVER,
                           NULL) == WEFT_OK);
    return arg == NULL ? value : NULL;
}

START_TEST(test_what_parts_note_with_weft_fail_is_forgotten)
{
    weft_future *f;
    const weft_error *error;

    make_items();
    open_pool(_i);
    ck_assert_int_eq(weft_pool_submit(pool, fail_around_loops, NULL, &f),
                     WEFT_OK);
    ck_assert_int_eq(weft_future_error(f, WEFT_FOREVER, &error), WEFT_FAILED);
    ck_assert_int_eq(error->code, 4);
    ck_assert_str_eq(error->message, "the task's");
    weft_future_release(f);
    weft_pool_destroy(pool);
}
END_TEST

/* The second of two fails while the first one runs. */
static weft_event second_failed;

static void *
fail_second(void *item)
{
    (void)item;
    weft_event_set(&second_failed);
    return weft_fail(2, "second");
}

static void *
go_on_after_second(void *item)
{
    must(weft_event_wait(&second_failed, WEFT_FOREVER) == WEFT_OK);
    for (int i = 0; i < 200; i++)
        sched_yield(); /* until it is noted, most probably */
    return item == NULL ? weft_fail(1, "first") : item;
}

static void
fail_out_of_order(void)
{
    weft_fn *fns[] = {go_on_after_second, count_item, fail_second, fail_second};
    void *args[] = {&pool, &cells[0], NULL, NULL};
    weft_failure failure;

    /* the one between is called, though one after it has failed */
    for (unsigned i = 0; workers > 1 && i < 20; i++) {
        weft_event_clear(&second_failed);
        must(weft_parallel_invoke(pool, fns, args, NULL, 4, &failure) ==
             WEFT_FAILED);
        must(failure.index == 2 && failure.error->code == 2);
        must(relaxed(&cells[0].times) == i + 1);
    }
    args[0] = NULL;
    for (unsigned i = 0; workers > 1 && i < 20; i++) {
        weft_event_clear(&second_failed);
        must(weft_parallel_invoke(pool, fns, args, NULL, 4, &failure) ==
             WEFT_FAILED);
        must(failure.index == 0 && failure.error->code == 1);
        must(strcmp(failure.error->message, "first") == 0);
    }
}

START_TEST(test_a_later_failure_hides_no_earlier_one)
{
    run_where(_i, fail_out_of_order);
}
END_TEST

START_TEST(test_a_map_needs_a_pool_that_takes_tasks)
{
    make_items();
    open_pool(_i);
    ck_assert_int_eq(weft_pool_shutdown(pool, WEFT_FINISH, WEFT_FOREVER),
                     WEFT_OK);
    ck_assert_int_eq(weft_parallel_map(pool, count_item, items, results, N,
                                       WEFT_FOREVER, NULL),
                     WEFT_CLOSED);
    expect_each(0, 0, 0);
    weft_pool_destroy(pool);
}
END_TEST

static const struct test tests[] = {
    {&test_a_map_has_the_results_in_the_order_of_the_items, VARIANTS},
    {&test_the_first_failure_in_the_order_of_the_items_ends_a_map, VARIANTS},
    {&test_after_the_deadline_none_is_begun, VARIANTS},
    {&test_invoke_calls_each_function_with_its_argument, VARIANTS},
    {&test_what_parts_note_with_weft_fail_is_forgotten, 6},
    {&test_a_later_failure_hides_no_earlier_one, VARIANTS},
    {&test_a_map_needs_a_pool_that_takes_tasks, 6},
};

int
main(void)
{
    return run_tests("parallel_map", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

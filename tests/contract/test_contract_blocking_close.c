/* SPDX-License-Identifier: MIT */
/*
 * test_contract_blocking_close.c - what becomes of a blocking queue, its items
 * and its waiting threads when it is closed or destroyed.
 */
#include "blocking.h"
#include "testing.h"
#include "waiting.h"

#define CAPACITY 3

static weft_queue *
open_noting(int form)
{
    weft_queue_options o = options_of(form, CAPACITY);

    o.drop = drop_noted;
    return open_options(&o);
}

/* With 2001, 1001 and 2002 in it. */
static weft_queue *
open_filled(int form)
{
    weft_queue *q = open_noting(form);

    if (q != NULL) {
        put_number(q, 2001);
        put_number(q, 1001);
        put_number(q, 2002);
    }
    return q;
}

/* That is the order in which they leave. */
static size_t
leaves(int form, size_t k)
{
    static const size_t order[KINDS][CAPACITY] = {
        [FIRST_OUT] = {2001, 1001, 2002},
        [LAST_OUT] = {2002, 1001, 2001},
        [LOWEST_COMPARED] = {1001, 2001, 2002},
        [LOWEST_KEY] = {1001, 2001, 2002},
    };

    return order[kind_of(form)][k];
}

static void
check_drops(int form, size_t from)
{
    ck_assert_uint_eq(drop_count, CAPACITY - from);
    for (size_t k = from; k < CAPACITY; k++)
        ck_assert_uint_eq(drops[k - from], leaves(form, k));
}

START_TEST(test_drain_refuses_puts_and_serves_gets)
{
    weft_queue *q = open_filled(_i);
    void *got = item(77);
    size_t done = 77;

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    ck_assert(weft_queue_is_closed(q));
    ck_assert_int_eq(weft_queue_put(q, item(9), WEFT_NOW), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_put(q, item(9), WEFT_FOREVER), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_put_n(q, &got, 1, WEFT_FOREVER, &done),
                     WEFT_CLOSED);
    for (size_t k = 0; k < CAPACITY; k++)
        ck_assert_uint_eq(get_number(q), leaves(_i, k));
    ck_assert_int_eq(weft_queue_get(q, &got, WEFT_NOW), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_get(q, &got, WEFT_FOREVER), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_get_n(q, &got, 1, WEFT_FOREVER, &done),
                     WEFT_CLOSED);
    ck_assert_ptr_eq(got, item(77));
    ck_assert_uint_eq(done, 77);
    ck_assert_uint_eq(drop_count, 0);
    ck_assert_uint_eq(weft_queue_unfinished(q), CAPACITY);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_put_says_closed_even_if_there_is_room)
{
    weft_queue *q = open_noting(_i);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    ck_assert_int_eq(weft_queue_put(q, item(9), WEFT_NOW), WEFT_CLOSED);
    ck_assert(weft_queue_is_empty(q));
    ck_assert_uint_eq(weft_queue_unfinished(q), 0);
    weft_queue_destroy(q);
    ck_assert_uint_eq(drop_count, 0);
}
END_TEST

START_TEST(test_discard_drops_what_is_left_and_counts_it_as_done)
{
    weft_queue *q = open_filled(_i);
    void *got = item(77);

    if (q == NULL)
        return;
    ck_assert_uint_eq(get_number(q), leaves(_i, 0));
    ck_assert_int_eq(weft_queue_close(q, WEFT_DISCARD), WEFT_OK);
    check_drops(_i, 1);
    ck_assert_uint_eq(weft_queue_size(q), 0);
    ck_assert(weft_queue_is_closed(q));
    ck_assert_int_eq(weft_queue_get(q, &got, WEFT_FOREVER), WEFT_CLOSED);
    ck_assert_ptr_eq(got, item(77));
    ck_assert_int_eq(weft_queue_put(q, item(9), WEFT_FOREVER), WEFT_CLOSED);
    /* The one that was taken is not done. */
    ck_assert_uint_eq(weft_queue_unfinished(q), 1);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    ck_assert_int_eq(weft_queue_join(q, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_INVALID);
    weft_queue_destroy(q);
    check_drops(_i, 1);
}
END_TEST

START_TEST(test_discard_without_a_drop_function)
{
    weft_queue *q = open_queue(_i, CAPACITY);

    if (q == NULL)
        return;
    put_number(q, 1);
    put_number(q, 2);
    ck_assert_int_eq(weft_queue_close(q, WEFT_DISCARD), WEFT_OK);
    ck_assert_uint_eq(weft_queue_size(q), 0);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_OK);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_closing_again_is_ok)
{
    weft_queue *q = open_filled(_i);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    ck_assert_uint_eq(weft_queue_size(q), CAPACITY);
    /* A drain can become a discard ... */
    ck_assert_int_eq(weft_queue_close(q, WEFT_DISCARD), WEFT_OK);
    check_drops(_i, 0);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_OK);
    /* ... and stays one. */
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    ck_assert_int_eq(weft_queue_close(q, WEFT_DISCARD), WEFT_OK);
    ck_assert_int_eq(weft_queue_put(q, item(9), WEFT_NOW), WEFT_CLOSED);
    check_drops(_i, 0);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_closing_in_an_unknown_way_changes_nothing)
{
    weft_queue *q = open_filled(_i);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_close(q, (enum weft_close)2), WEFT_INVALID);
    ck_assert(!weft_queue_is_closed(q));
    ck_assert_uint_eq(get_number(q), leaves(_i, 0));
    put_number(q, 5);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_destroy_drops_what_is_left)
{
    weft_queue *q = open_filled(_i);

    if (q == NULL)
        return;
    weft_queue_destroy(q);
    check_drops(_i, 0);
}
END_TEST

START_TEST(test_destroy_drops_what_a_drain_left)
{
    weft_queue *q = open_filled(_i);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    get_number(q);
    weft_queue_destroy(q);
    check_drops(_i, 1);
}
END_TEST

/* No lock is held where `drop` is called: any call may be made. */
static weft_queue *dropping;

static void
drop_calling(void *i, void *ctx)
{
    void *got;

    drop_noted(i, ctx);
    ck_assert(weft_queue_is_closed(dropping));
    ck_assert_uint_lt(weft_queue_size(dropping), 2);
    ck_assert_int_eq(weft_queue_put(dropping, i, WEFT_NOW), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_get(dropping, &got, WEFT_NOW), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_close(dropping, WEFT_DISCARD), WEFT_OK);
    /* What is being dropped is not done yet. */
    ck_assert_int_eq(weft_queue_join(dropping, WEFT_NOW), WEFT_TIMEOUT);
}

START_TEST(test_drop_is_called_outside_every_lock)
{
    weft_queue_options o = options_of(_i, CAPACITY);

    o.drop = drop_calling;
    dropping = open_options(&o);
    if (dropping == NULL)
        return;
    put_number(dropping, 1);
    put_number(dropping, 2);
    ck_assert_int_eq(weft_queue_close(dropping, WEFT_DISCARD), WEFT_OK);
    ck_assert_uint_eq(drop_count, 2);
    ck_assert_int_eq(weft_queue_join(dropping, WEFT_NOW), WEFT_OK);
    weft_queue_destroy(dropping);
}
END_TEST

/* --- threads that wait --------------------------------------------------- */

#define WAITING 3

static void
check_gets_end(int form, enum weft_close how)
{
    struct call get[WAITING];
    weft_queue *q = open_noting(form);

    if (q == NULL)
        return;
    for (int k = 0; k < WAITING; k++)
        start_get(&get[k], q, WEFT_FOREVER);
    until_waiting(q, WAITING);
    ck_assert_int_eq(weft_queue_close(q, how), WEFT_OK);
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&get[k]), WEFT_CLOSED);
    weft_queue_destroy(q);
}

START_TEST(test_close_wakes_every_waiting_get)
{
    check_gets_end(_i, WEFT_DRAIN);
    check_gets_end(_i, WEFT_DISCARD);
}
END_TEST

static void
check_puts_end(int form, enum weft_close how)
{
    struct call put[WAITING];
    weft_queue *q = open_filled(form);

    if (q == NULL)
        return;
    for (int k = 0; k < WAITING; k++)
        start_put(&put[k], q, 9, WEFT_FOREVER);
    until_waiting(q, WAITING);
    ck_assert_int_eq(weft_queue_close(q, how), WEFT_OK);
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&put[k]), WEFT_CLOSED);
    ck_assert_uint_eq(weft_queue_size(q), how == WEFT_DRAIN ? CAPACITY : 0);
    weft_queue_destroy(q);
    check_drops(form, 0);
    drop_count = 0;
}

START_TEST(test_close_wakes_every_waiting_put)
{
    if (!is_bounded(_i))
        return;
    check_puts_end(_i, WEFT_DRAIN);
    check_puts_end(_i, WEFT_DISCARD);
}
END_TEST

START_TEST(test_discard_that_finishes_all_wakes_every_join)
{
    struct call join[WAITING];
    weft_queue *q = open_filled(_i);

    if (q == NULL)
        return;
    for (int k = 0; k < WAITING; k++)
        start_join(&join[k], q, WEFT_FOREVER);
    until_waiting(q, WAITING);
    ck_assert_int_eq(weft_queue_close(q, WEFT_DISCARD), WEFT_OK);
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&join[k]), WEFT_OK);
    check_drops(_i, 0);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_drain_leaves_a_join_waiting)
{
    struct call join;
    weft_queue *q = open_filled(_i);

    if (q == NULL)
        return;
    start_join(&join, q, WEFT_FOREVER);
    until_waiting(q, 1);
    ck_assert_int_eq(weft_queue_close(q, WEFT_DRAIN), WEFT_OK);
    for (int k = 0; k < CAPACITY; k++) {
        ck_assert_uint_eq(count_waiting(q), 1);
        get_number(q);
        ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    }
    ck_assert_int_eq(end_of(&join), WEFT_OK);
    weft_queue_destroy(q);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_drain_refuses_puts_and_serves_gets, FORMS},
        {&test_put_says_closed_even_if_there_is_room, FORMS},
        {&test_discard_drops_what_is_left_and_counts_it_as_done, FORMS},
        {&test_discard_without_a_drop_function, FORMS},
        {&test_closing_again_is_ok, FORMS},
        {&test_closing_in_an_unknown_way_changes_nothing, FORMS},
        {&test_destroy_drops_what_is_left, FORMS},
        {&test_destroy_drops_what_a_drain_left, FORMS},
        {&test_drop_is_called_outside_every_lock, FORMS},
        {&test_close_wakes_every_waiting_get, FORMS},
        {&test_close_wakes_every_waiting_put, FORMS},
        {&test_discard_that_finishes_all_wakes_every_join, FORMS},
        {&test_drain_leaves_a_join_waiting, FORMS},
    };

    return run_tests("blocking queue close", tests,
                     sizeof(tests) / sizeof(tests[0]), 20);
}

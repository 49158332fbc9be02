/* SPDX-License-Identifier: MIT */
/*
 * test_contract_blocking_any.c - waiting for one of several blocking queues.
 */
#include "base/deadline.h"
#include "blocking.h"
#include "kernel_calls.h"
#include "sleepers.h"
#include "testing.h"
#include "waiting.h"

#define QUEUES 3

/* Queues of the form, and one that is always of the same, so that a wait is for
 * different ones; false: there is no such form. */
static weft_queue *queues[QUEUES];

static bool
open_all(int form)
{
    const weft_queue_options plain = {.impl = WEFT_MUTEX};

    for (int k = 0; k < QUEUES - 1; k++)
        if ((queues[k] = open_queue(form, 4)) == NULL)
            return false;
    queues[QUEUES - 1] = open_options(&plain);
    return true;
}

static void
destroy_all(void)
{
    for (int k = 0; k < QUEUES; k++)
        weft_queue_destroy(queues[k]);
}

static size_t
find(weft_deadline deadline)
{
    size_t index = 77;

    must(weft_queue_wait_any(queues, QUEUES, deadline, &index) == WEFT_OK);
    return index;
}

static void
check_timeout(weft_deadline deadline)
{
    size_t index = 77;

    ck_assert_int_eq(weft_queue_wait_any(queues, QUEUES, deadline, &index),
                     WEFT_TIMEOUT);
    ck_assert_uint_eq(index, 77);
    ck_assert_int_ge(weft_clock_ns_(), deadline);
}

START_TEST(test_it_names_the_first_that_has_something)
{
    if (!open_all(_i))
        return;
    for (size_t k = QUEUES; k-- > 0;) {
        put_number(queues[k], k);
        ck_assert_uint_eq(find(WEFT_NOW), k);
        ck_assert_uint_eq(find(WEFT_FOREVER), k);
    }
    for (size_t k = 0; k < QUEUES; k++) {
        ck_assert_uint_eq(find(WEFT_NOW), k);
        ck_assert_uint_eq(weft_queue_size(queues[k]), 1); /* takes nothing */
        ck_assert_uint_eq(get_number(queues[k]), k);
    }
    check_timeout(WEFT_NOW);
    destroy_all();
}
END_TEST

START_TEST(test_it_wants_a_queue)
{
    weft_queue *none[2] = {NULL, NULL};
    size_t index = 77;

    if (!open_all(_i))
        return;
    put_number(queues[0], 1);
    ck_assert_int_eq(weft_queue_wait_any(queues, 0, WEFT_FOREVER, &index),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_queue_wait_any(none, 2, WEFT_FOREVER, &index),
                     WEFT_INVALID);
    ck_assert_uint_eq(index, 77);
    destroy_all();
}
END_TEST

START_TEST(test_null_is_passed_over)
{
    weft_queue *some[4] = {NULL, NULL, NULL, NULL};
    size_t index = 77;

    if (!open_all(_i))
        return;
    some[2] = queues[0];
    ck_assert_int_eq(weft_queue_wait_any(some, 4, weft_in_ms(1), &index),
                     WEFT_TIMEOUT);
    ck_assert_uint_eq(index, 77);
    put_number(queues[0], 1);
    ck_assert_int_eq(weft_queue_wait_any(some, 4, WEFT_NOW, &index), WEFT_OK);
    ck_assert_uint_eq(index, 2);
    destroy_all();
}
END_TEST

START_TEST(test_a_deadline_ends_it_and_not_too_early)
{
    if (!open_all(_i))
        return;
    check_timeout(weft_in_ms(10));
    check_timeout(weft_in_ms(1));
    check_timeout(-7);
    /* It is not waiting any more. */
    kernel_calls = 0;
    put_number(queues[0], 1);
    put_number(queues[2], 1);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    destroy_all();
}
END_TEST

START_TEST(test_a_closed_queue_counts_if_none_has_anything)
{
    if (!open_all(_i))
        return;
    put_number(queues[0], 1);
    for (size_t k = 0; k < QUEUES; k++)
        weft_queue_close(queues[k], WEFT_DRAIN);
    ck_assert_uint_eq(find(WEFT_NOW), 0);
    get_number(queues[0]);
    ck_assert_uint_eq(find(WEFT_NOW), 0);
    destroy_all();

    open_all(_i);
    weft_queue_close(queues[1], WEFT_DISCARD);
    ck_assert_uint_eq(find(WEFT_FOREVER), 1);
    put_number(queues[2], 1);
    ck_assert_uint_eq(find(WEFT_FOREVER), 2);
    put_number(queues[0], 1);
    ck_assert_uint_eq(find(WEFT_FOREVER), 0);
    destroy_all();
}
END_TEST

/* --- with other threads -------------------------------------------------- */

#define WAITING 3

static void *
wait_for_any(void *index)
{
    *(size_t *)index = find(WEFT_FOREVER);
    return NULL;
}

static void
start_waiting(pthread_t *thread, size_t *index, int n)
{
    for (int k = 0; k < n; k++)
        must(pthread_create(&thread[k], NULL, wait_for_any, &index[k]) == 0);
    until_waiting(queues[0], (size_t)n);
}

START_TEST(test_a_put_wakes_all_who_wait_for_any)
{
    pthread_t thread[WAITING];
    size_t index[WAITING];

    if (!open_all(_i))
        return;
    for (size_t k = 0; k < QUEUES; k++) {
        start_waiting(thread, index, WAITING);
        put_number(queues[k], 1);
        for (int i = 0; i < WAITING; i++) {
            ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
            ck_assert_uint_eq(index[i], k);
        }
        get_number(queues[k]);
    }
    destroy_all();
}
END_TEST

START_TEST(test_a_close_wakes_all_who_wait_for_any)
{
    pthread_t thread[WAITING];
    size_t index[WAITING];

    if (!open_all(_i))
        return;
    start_waiting(thread, index, WAITING);
    ck_assert_int_eq(weft_queue_close(queues[1], WEFT_DRAIN), WEFT_OK);
    for (int i = 0; i < WAITING; i++) {
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
        ck_assert_uint_eq(index[i], 1);
    }
    destroy_all();
}
END_TEST

START_TEST(test_one_who_gets_and_one_who_waits_for_any_both_see_a_put)
{
    struct call get;
    pthread_t thread;
    size_t index;

    if (!open_all(_i))
        return;
    /* Two items: whoever of the two is first, there is one for the other. */
    start_get(&get, queues[0], WEFT_FOREVER);
    until_waiting(queues[0], 1);
    must(pthread_create(&thread, NULL, wait_for_any, &index) == 0);
    until_waiting(queues[0], 2);
    put_number(queues[0], 1);
    ck_assert_int_eq(end_of(&get), WEFT_OK);
    put_number(queues[0], 2);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(index, 0);
    destroy_all();
}
END_TEST

static weft_queue *many[100];

static void *
wait_for_many(void *index)
{
    must(weft_queue_wait_any(many, 100, WEFT_FOREVER, index) == WEFT_OK);
    return NULL;
}

START_TEST(test_many_queues_and_one_of_them_twice)
{
    pthread_t thread;
    size_t index = 77;

    for (int k = 0; k < 99; k++)
        if ((many[k] = open_queue(_i, 1)) == NULL)
            return;
    many[99] = many[98];
    must(pthread_create(&thread, NULL, wait_for_many, &index) == 0);
    until_waiting(many[0], 1);
    put_number(many[99], 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(index, 98);
    for (int k = 0; k < 99; k++)
        weft_queue_destroy(many[k]);
}
END_TEST

/* Threads take all that comes, through wait_any only. */
#define ROUNDS 4000

static _Atomic size_t taken;

static void *
take_from_any(void *unused)
{
    weft_queue *mine[QUEUES];
    size_t index;
    void *got;
    int left = QUEUES;

    for (int k = 0; k < QUEUES; k++)
        mine[k] = queues[k];
    while (left > 0) {
        must(weft_queue_wait_any(mine, QUEUES, WEFT_FOREVER, &index) ==
             WEFT_OK);
        const enum weft_status s = weft_queue_get(mine[index], &got, WEFT_NOW);
        if (s == WEFT_OK) {
            atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
        } else if (s == WEFT_CLOSED) {
            mine[index] = NULL;
            left--;
        }
    }
    return unused;
}

START_TEST(test_nothing_is_missed_by_who_waits_for_any)
{
    pthread_t thread[2];

    have_one_cpu(_i % 2 == 0 && !is_bounded(_i));
    if (!open_all(_i))
        return;
    for (int k = 0; k < 2; k++)
        must(pthread_create(&thread[k], NULL, take_from_any, NULL) == 0);
    for (size_t k = 0; k < ROUNDS; k++) {
        must(weft_queue_put(queues[k % 5 % QUEUES], item(k), WEFT_FOREVER) ==
             WEFT_OK);
        if (k % 3 == 0)
            while (!weft_queue_is_empty(queues[k % 5 % QUEUES]))
                sched_yield();
    }
    for (int k = 0; k < QUEUES; k++)
        must(weft_queue_close(queues[k], WEFT_DRAIN) == WEFT_OK);
    for (int k = 0; k < 2; k++)
        ck_assert_int_eq(pthread_join(thread[k], NULL), 0);
    ck_assert_uint_eq(taken, ROUNDS);
    destroy_all();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_it_names_the_first_that_has_something, FORMS},
        {&test_it_wants_a_queue, FORMS},
        {&test_null_is_passed_over, FORMS},
        {&test_a_deadline_ends_it_and_not_too_early, FORMS},
        {&test_a_closed_queue_counts_if_none_has_anything, FORMS},
        {&test_a_put_wakes_all_who_wait_for_any, FORMS},
        {&test_a_close_wakes_all_who_wait_for_any, FORMS},
        {&test_one_who_gets_and_one_who_waits_for_any_both_see_a_put, FORMS},
        {&test_many_queues_and_one_of_them_twice, FORMS},
        {&test_nothing_is_missed_by_who_waits_for_any, FORMS},
    };

    return run_tests("blocking queue any", tests,
                     sizeof(tests) / sizeof(tests[0]), 20);
}

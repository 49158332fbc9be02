/* SPDX-License-Identifier: MIT */
/*
 * test_future_wait.c - waiting for several futures, and as they are done.
 */
#include <weft/future.h>

#include <pthread.h>
#include <stdlib.h>

#include "alloc_fail.h"
#include "base/deadline.h"
#include "pool/future_impl.h"
#include "testing.h"
#include "waiting.h"

#define MANY 40 /* more than are waited for without an allocation */

static weft_future *f[MANY];

static void
make(size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(weft_future_create(&f[i]), WEFT_OK);
}

static void
give_back(size_t n)
{
    for (size_t i = 0; i < n; i++)
        weft_future_release(f[i]);
}

static void
set(size_t i)
{
    ck_assert_int_eq(weft_future_set_result(f[i], f[i]), WEFT_OK);
}

static void
set_failed(size_t i)
{
    ck_assert_int_eq(weft_future_set_error(f[i], (int)i, "why"), WEFT_OK);
}

static void
set_broken(size_t i)
{
    ck_assert_int_eq(weft_future_start_(f[i]), WEFT_OK);
    weft_future_finish_(f[i], WEFT_BROKEN, NULL, NULL);
}

/* weft_wait for the first `n` with an answer of `s` and `done`. */
static void
expect(enum weft_when when, size_t n, weft_deadline deadline,
       enum weft_status s, size_t done)
{
    size_t count = 99;

    ck_assert_int_eq(weft_wait(f, n, when, deadline, &count), s);
    ck_assert_uint_eq(count, done);
    ck_assert_int_eq(weft_wait(f, n, when, deadline, NULL), s);
}

START_TEST(test_an_empty_list_returns_at_once) /* X1 */
{
    expect((enum weft_when)_i, 0, WEFT_FOREVER, WEFT_OK, 0);
}
END_TEST

START_TEST(test_all_done_waits_for_each)
{
    const size_t n = _i == 0 ? 3 : MANY;

    make(n);
    for (size_t i = 0; i < n; i++) {
        expect(WEFT_ALL_DONE, n, WEFT_NOW, WEFT_TIMEOUT, i);
        expect(WEFT_ALL_DONE, n, weft_in_us(1), WEFT_TIMEOUT, i);
        if (i % 4 == 0)
            set(i);
        else if (i % 4 == 1)
            set_failed(i);
        else if (i % 4 == 2)
            ck_assert(weft_future_cancel(f[i])); /* F4 */
        else
            set_broken(i);
    }
    expect(WEFT_ALL_DONE, n, WEFT_NOW, WEFT_OK, n);
    expect(WEFT_ALL_DONE, n, WEFT_FOREVER, WEFT_OK, n);
    give_back(n);
}
END_TEST

START_TEST(test_first_done_waits_for_one_however_it_ends)
{
    make(3);
    expect(WEFT_FIRST_DONE, 3, weft_in_us(1), WEFT_TIMEOUT, 0);
    if (_i == 0)
        set(2);
    else if (_i == 1)
        set_failed(2);
    else if (_i == 2)
        ck_assert(weft_future_cancel(f[2]));
    else
        set_broken(2);
    expect(WEFT_FIRST_DONE, 3, WEFT_FOREVER, WEFT_OK, 1);
    expect(WEFT_FIRST_FAILED, 3, weft_in_us(1),
           _i % 2 == 1 ? WEFT_OK : WEFT_TIMEOUT, 1);
    give_back(3);
}
END_TEST

START_TEST(test_first_failed_without_failures_is_all_done) /* X1, room 5 */
{
    make(3);
    set(0);
    ck_assert(weft_future_cancel(f[1]));
    expect(WEFT_FIRST_FAILED, 3, weft_in_us(1), WEFT_TIMEOUT, 2);
    set(2);
    expect(WEFT_FIRST_FAILED, 3, WEFT_FOREVER, WEFT_OK, 3);
    give_back(3);
}
END_TEST

START_TEST(test_one_that_is_there_twice_counts_once) /* X1 */
{
    make(2);
    weft_future *twice[] = {f[0], f[1], f[0], f[1], f[1]};
    size_t done;

    set(0);
    ck_assert_int_eq(weft_wait(twice, 5, WEFT_ALL_DONE, weft_in_us(1), &done),
                     WEFT_TIMEOUT);
    ck_assert_uint_eq(done, 1);
    set(1);
    ck_assert_int_eq(weft_wait(twice, 5, WEFT_ALL_DONE, WEFT_FOREVER, &done),
                     WEFT_OK);
    ck_assert_uint_eq(done, 2);
    give_back(2);
}
END_TEST

START_TEST(test_a_wait_never_ends_early)
{
    make(2);
    set(0);
    for (int64_t span = 1; span < 20000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        expect(WEFT_ALL_DONE, 2, d, WEFT_TIMEOUT, 1);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
    give_back(2);
}
END_TEST

START_TEST(test_arguments_that_no_call_takes)
{
    weft_as_completed *it = NULL;
    size_t done = 5;

    make(3);
    weft_future_release(f[1]);
    f[1] = NULL;
    ck_assert_int_eq(weft_wait(f, 3, WEFT_ALL_DONE, WEFT_NOW, &done),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_wait(f, 1, (enum weft_when)3, WEFT_NOW, &done),
                     WEFT_INVALID);
    ck_assert_uint_eq(done, 5);
    ck_assert_int_eq(weft_as_completed_create(&it, f, 3), WEFT_INVALID);
    ck_assert_ptr_null(it);
    ck_assert_int_eq(weft_as_completed_create(NULL, f, 1), WEFT_INVALID);
    weft_as_completed_destroy(NULL);
    give_back(3);
}
END_TEST

/* Another thread waits. */
struct waiter {
    pthread_t thread;
    enum weft_when when;
    size_t n;
    size_t done;
    enum weft_status answer;
};

static void *
wait_for_all(void *arg)
{
    struct waiter *w = arg;

    w->answer = weft_wait(f, w->n, w->when, WEFT_FOREVER, &w->done);
    return NULL;
}

static void
start(struct waiter *w)
{
    ck_assert_int_eq(pthread_create(&w->thread, NULL, wait_for_all, w), 0);
    until_waiting(f[0], 1);
}

START_TEST(test_the_last_or_the_first_that_counts_wakes_who_waits)
{
    struct waiter w = {.when = (enum weft_when)_i, .n = MANY};

    make(MANY);
    if (_i == WEFT_FIRST_FAILED)
        set(3);
    for (size_t i = 1; _i == WEFT_ALL_DONE && i < MANY; i += 2)
        set(i);
    start(&w);
    if (_i == WEFT_FIRST_FAILED)
        set_failed(MANY - 1);
    else if (_i == WEFT_FIRST_DONE)
        set(MANY - 1);
    for (size_t i = 0; _i == WEFT_ALL_DONE && i < MANY; i += 2)
        set(i);
    ck_assert_int_eq(pthread_join(w.thread, NULL), 0);
    ck_assert_int_eq(w.answer, WEFT_OK);
    ck_assert_uint_eq(w.done, _i == WEFT_FIRST_FAILED ? 2
                              : _i == WEFT_FIRST_DONE ? 1
                                                      : MANY);
    for (size_t i = 0; i < MANY; i++)
        ck_assert_ptr_null(f[i]->watchers);
    give_back(MANY);
}
END_TEST

START_TEST(test_a_cancelled_thread_leaves_the_futures_as_they_were)
{
    struct waiter w = {.when = WEFT_ALL_DONE, .n = _i == 0 ? 3 : MANY};
    void *end;

    make(MANY);
    start(&w);
    ck_assert_int_eq(pthread_cancel(w.thread), 0);
    ck_assert_int_eq(pthread_join(w.thread, &end), 0);
    ck_assert_ptr_eq(end, PTHREAD_CANCELED);
    until_waiting(f[0], 0);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_ptr_null(f[i]->watchers);
        set(i);
    }
    expect(WEFT_ALL_DONE, MANY, WEFT_FOREVER, WEFT_OK, MANY);
    give_back(MANY);
}
END_TEST

static void *
wait_for_one(void *arg)
{
    return weft_future_result(f[0], WEFT_FOREVER, NULL) == WEFT_OK ? arg : NULL;
}

START_TEST(test_a_thread_cancelled_in_result_disturbs_no_other)
{
    pthread_t thread[2];
    void *end;

    make(1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, wait_for_one, f), 0);
    until_waiting(f[0], 2);
    ck_assert_int_eq(pthread_cancel(thread[0]), 0);
    ck_assert_int_eq(pthread_join(thread[0], &end), 0);
    ck_assert_ptr_eq(end, PTHREAD_CANCELED);
    until_waiting(f[0], 1);
    set(0);
    ck_assert_int_eq(pthread_join(thread[1], &end), 0);
    ck_assert_ptr_eq(end, f);
    give_back(1);
}
END_TEST

/* As they are done */

static weft_as_completed *
watch(size_t n)
{
    weft_as_completed *it = NULL;

    ck_assert_int_eq(weft_as_completed_create(&it, f, n), WEFT_OK);
    return it;
}

static void
expect_next(weft_as_completed *it, size_t i)
{
    weft_future *next = NULL;

    ck_assert_int_eq(weft_as_completed_next(it, WEFT_NOW, &next), WEFT_OK);
    ck_assert_ptr_eq(next, f[i]);
}

static void
expect_none(weft_as_completed *it, weft_deadline deadline, enum weft_status s)
{
    weft_future *next = NULL;

    ck_assert_int_eq(weft_as_completed_next(it, deadline, &next), s);
    ck_assert_ptr_null(next);
}

START_TEST(test_those_that_are_done_come_first_then_as_they_are_done) /* X2 */
{
    make(6);
    set(4);
    set_failed(2);
    weft_as_completed *it = watch(6);
    expect_next(it, 2);
    ck_assert(weft_future_cancel(f[5])); /* F4 */
    set(0);
    expect_next(it, 4);
    expect_next(it, 5);
    expect_next(it, 0);
    expect_none(it, WEFT_NOW, WEFT_TIMEOUT);
    const weft_deadline d = weft_in_ms(2);
    expect_none(it, d, WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), d);
    expect_none(it, d, WEFT_TIMEOUT); /* one deadline for all */
    set_broken(1);
    set(3);
    expect_next(it, 1);
    expect_next(it, 3);
    expect_none(it, WEFT_FOREVER, WEFT_CLOSED);
    expect_none(it, WEFT_NOW, WEFT_CLOSED);
    weft_as_completed_destroy(it);
    give_back(6);
}
END_TEST

START_TEST(test_each_is_handed_out_once) /* X2 */
{
    make(2);
    weft_future *twice[] = {f[1], f[0], f[1], f[0]};
    weft_as_completed *it = NULL;

    if (_i >= 1)
        set(1);
    if (_i == 2)
        set(0);
    ck_assert_int_eq(weft_as_completed_create(&it, twice, 4), WEFT_OK);
    if (_i == 0)
        set(1);
    if (_i < 2)
        set(0);
    expect_next(it, 1);
    expect_next(it, 0);
    expect_none(it, WEFT_FOREVER, WEFT_CLOSED);
    weft_as_completed_destroy(it);
    give_back(2);
}
END_TEST

START_TEST(test_an_iterator_of_none_is_at_its_end)
{
    weft_as_completed *it = watch(0);

    expect_none(it, WEFT_FOREVER, WEFT_CLOSED);
    weft_as_completed_destroy(it);
}
END_TEST

START_TEST(test_an_iterator_keeps_its_futures)
{
    make(3);
    weft_as_completed *it = watch(3);
    set(1);
    weft_future_release(f[1]);
    expect_next(it, 1);
    ck_assert_int_eq(weft_future_result(f[1], WEFT_NOW, NULL), WEFT_OK);
    weft_as_completed_destroy(it); /* before its end */
    ck_assert_ptr_null(f[0]->watchers);
    set(0);
    set(2);
    weft_future_release(f[0]);
    weft_future_release(f[2]);
}
END_TEST

static void *
read_next(void *arg)
{
    weft_future *next = NULL;

    return weft_as_completed_next(arg, WEFT_FOREVER, &next) == WEFT_OK ? next
                                                                       : NULL;
}

START_TEST(test_a_reader_that_waits_wakes_or_is_cancelled)
{
    pthread_t thread;
    void *end;

    make(3);
    weft_as_completed *it = watch(3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, read_next, it), 0);
        until_waiting(it, 1);
        ck_assert_int_eq(pthread_cancel(thread), 0);
        ck_assert_int_eq(pthread_join(thread, &end), 0);
        ck_assert_ptr_eq(end, PTHREAD_CANCELED);
        until_waiting(it, 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, read_next, it), 0);
        until_waiting(it, 1);
        set(i);
        ck_assert_int_eq(pthread_join(thread, &end), 0);
        ck_assert_ptr_eq(end, f[i]);
    }
    expect_none(it, WEFT_FOREVER, WEFT_CLOSED);
    weft_as_completed_destroy(it);
    give_back(3);
}
END_TEST

START_TEST(test_without_memory_nothing_is_changed)
{
    weft_as_completed *it = NULL;
    size_t done = 7;

    make(MANY);
    alloc_fail_at(1);
    const enum weft_status wait =
        weft_wait(f, MANY, WEFT_FIRST_DONE, WEFT_FOREVER, &done);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    alloc_fail_at(1);
    const enum weft_status create = weft_as_completed_create(&it, f, MANY);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert_int_eq(wait, WEFT_NO_MEMORY);
    ck_assert_int_eq(create, WEFT_NO_MEMORY);
    ck_assert_ptr_null(it);
    ck_assert_uint_eq(done, 7);
    alloc_fail_at(1);
    const enum weft_status few =
        weft_wait(f, 16, WEFT_FIRST_DONE, weft_in_us(1), &done);
    ck_assert_uint_eq(alloc_fail_stop(), 0);
    ck_assert_int_eq(few, WEFT_TIMEOUT);
    ck_assert_uint_eq(alloc_live(), 0);
    give_back(MANY);
}
END_TEST

static const struct test tests[] = {
    {&test_an_empty_list_returns_at_once, 3},
    {&test_all_done_waits_for_each, 2},
    {&test_first_done_waits_for_one_however_it_ends, 4},
    {&test_first_failed_without_failures_is_all_done, 1},
    {&test_one_that_is_there_twice_counts_once, 1},
    {&test_a_wait_never_ends_early, 1},
    {&test_arguments_that_no_call_takes, 1},
    {&test_the_last_or_the_first_that_counts_wakes_who_waits, 3},
    {&test_a_cancelled_thread_leaves_the_futures_as_they_were, 2},
    {&test_a_thread_cancelled_in_result_disturbs_no_other, 1},
    {&test_those_that_are_done_come_first_then_as_they_are_done, 1},
    {&test_each_is_handed_out_once, 3},
    {&test_an_iterator_of_none_is_at_its_end, 1},
    {&test_an_iterator_keeps_its_futures, 1},
    {&test_a_reader_that_waits_wakes_or_is_cancelled, 1},
    {&test_without_memory_nothing_is_changed, 1},
};

int
main(void)
{
    return run_tests("future_wait", tests, sizeof(tests) / sizeof(tests[0]),
                     10);
}

/* SPDX-License-Identifier: MIT */
#include <weft/future.h>

#include <pthread.h>
#include <stdlib.h>

#include "alloc_fail.h"
#include "base/deadline.h"
#include "base/fail.h"
#include "pool/future_impl.h"
#include "testing.h"
#include "waiting.h"

static int some, other;

static weft_future *
promise(void)
{
    weft_future *f = NULL;

    ck_assert_int_eq(weft_future_create(&f), WEFT_OK);
    ck_assert_ptr_nonnull(f);
    return f;
}

/* The ways in which one can be done. */
enum { RESULT, ERROR, CANCELLED, BROKEN, ENDS };

static weft_future *
ended(int how)
{
    weft_future *f = promise();

    if (how == RESULT)
        ck_assert_int_eq(weft_future_set_result(f, &some), WEFT_OK);
    if (how == ERROR)
        ck_assert_int_eq(weft_future_set_error(f, 7, "why %d", 9), WEFT_OK);
    if (how == CANCELLED)
        ck_assert(weft_future_cancel(f));
    if (how == BROKEN) {
        ck_assert_int_eq(weft_future_start_(f), WEFT_OK);
        weft_future_finish_(f, WEFT_BROKEN, NULL, NULL);
    }
    return f;
}

static const enum weft_status answers[ENDS] = {
    [RESULT] = WEFT_OK,
    [ERROR] = WEFT_FAILED,
    [CANCELLED] = WEFT_CANCELLED,
    [BROKEN] = WEFT_BROKEN,
};

START_TEST(test_a_future_is_pending_then_running_then_done) /* F1 */
{
    weft_future *f = promise();

    ck_assert(!weft_future_is_running(f) && !weft_future_is_done(f));
    ck_assert_int_eq(weft_future_start(f), WEFT_OK);
    ck_assert(weft_future_is_running(f) && !weft_future_is_done(f));
    ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_OK);
    ck_assert(!weft_future_is_running(f) && weft_future_is_done(f));
    ck_assert(!weft_future_is_cancelled(f));
    weft_future_release(f);
}
END_TEST

START_TEST(test_a_pending_promise_may_be_set_without_a_start)
{
    weft_future *f = ended(_i);

    ck_assert(weft_future_is_done(f) && !weft_future_is_running(f));
    ck_assert(weft_future_is_cancelled(f) == (_i == CANCELLED));
    weft_future_release(f);
}
END_TEST

START_TEST(test_result_and_error_say_how_it_ended)
{
    static const weft_deadline any[] = {WEFT_NOW, -1, 1, WEFT_FOREVER};
    weft_future *f = ended(_i);

    for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
        void *result = &other;
        const weft_error *error = (const void *)&other;
        ck_assert_int_eq(weft_future_wait(f, any[i]), WEFT_OK);
        ck_assert_int_eq(weft_future_result(f, any[i], &result), answers[_i]);
        ck_assert_ptr_eq(result, _i == RESULT ? &some : &other);
        ck_assert_int_eq(weft_future_error(f, any[i], &error), answers[_i]);
        if (_i == RESULT) {
            ck_assert_ptr_null(error);
        } else if (_i == ERROR) { /* F5 */
            ck_assert_int_eq(error->code, 7);
            ck_assert_str_eq(error->message, "why 9");
        } else {
            ck_assert_ptr_eq(error, &other);
        }
        ck_assert_int_eq(weft_future_result(f, any[i], NULL), answers[_i]);
        ck_assert_int_eq(weft_future_error(f, any[i], NULL), answers[_i]);
    }
    weft_future_release(f);
}
END_TEST

START_TEST(test_null_is_a_result)
{
    weft_future *f = promise();
    void *result = &some;

    ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_OK);
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, &result), WEFT_OK);
    ck_assert_ptr_null(result);
    weft_future_release(f);
}
END_TEST

START_TEST(test_an_error_without_a_format_has_an_empty_message)
{
    const char *const none = NULL;
    weft_future *f = promise();
    const weft_error *error;

    ck_assert_int_eq(weft_future_set_error(f, 3, none), WEFT_OK);
    ck_assert_int_eq(weft_future_error(f, WEFT_NOW, &error), WEFT_FAILED);
    ck_assert_int_eq(error->code, 3);
    ck_assert_str_eq(error->message, "");
    weft_future_release(f);
}
END_TEST

START_TEST(test_setting_one_that_is_done_is_invalid_and_changes_nothing)
{
    weft_future *f = ended(_i); /* rule 7 of PYTHON's room */
    void *result = &other;

    ck_assert_int_eq(weft_future_set_result(f, &other), WEFT_INVALID);
    ck_assert_int_eq(weft_future_set_error(f, 1, "no"), WEFT_INVALID);
    ck_assert(weft_future_cancel(f) == (_i == CANCELLED));
    ck_assert_int_eq(weft_future_start(f),
                     _i == CANCELLED ? WEFT_CANCELLED : WEFT_INVALID);
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, &result), answers[_i]);
    if (_i == RESULT)
        ck_assert_ptr_eq(result, &some);
    weft_future_release(f);
}
END_TEST

static void *
succeed(void *arg)
{
    return arg;
}

START_TEST(test_a_pools_future_is_not_to_be_set)
{
    weft_future *f = promise();

    f->of_pool = true;
    ck_assert_int_eq(weft_future_start(f), WEFT_INVALID);
    ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_INVALID);
    ck_assert_int_eq(weft_future_set_error(f, 1, "no"), WEFT_INVALID);
    ck_assert(!weft_future_is_done(f) && !weft_future_is_running(f));
    weft_future_release(f);
}
END_TEST

START_TEST(test_only_a_pending_one_can_be_cancelled) /* F1 */
{
    weft_future *f = promise();

    ck_assert(weft_future_cancel(f));
    ck_assert(weft_future_cancel(f));
    ck_assert(weft_future_is_cancelled(f) && weft_future_is_done(f)); /* F4 */
    ck_assert_int_eq(weft_future_start(f), WEFT_CANCELLED);
    weft_future_release(f);
    f = promise();
    ck_assert_int_eq(weft_future_start(f), WEFT_OK);
    ck_assert(!weft_future_cancel(f));
    ck_assert(weft_future_is_running(f));
    ck_assert_int_eq(weft_future_start(f), WEFT_INVALID);
    weft_future_release(f);
}
END_TEST

START_TEST(test_a_wait_that_runs_out_leaves_it_as_it_was) /* F2 */
{
    weft_future *f = promise();
    void *result = &other;
    const weft_error *error = NULL;

    ck_assert_int_eq(weft_future_start(f), WEFT_OK);
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, &result), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_future_error(f, -5, &error), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_future_wait(f, 1), WEFT_TIMEOUT);
    for (int64_t span = 1; span < 20000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        ck_assert_int_eq(weft_future_result(f, d, &result), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
    ck_assert_uint_eq(count_waiting(f), 0); /* to whom lists them */
    ck_assert_ptr_eq(result, &other);
    ck_assert(weft_future_is_running(f));
    ck_assert_int_eq(weft_future_set_result(f, &some), WEFT_OK);
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &some);
    weft_future_release(f);
}
END_TEST

START_TEST(test_a_stop_is_asked_for_and_changes_nothing_else)
{
    weft_future *f = promise();

    ck_assert(!weft_future_is_stopping_(f));
    weft_future_request_stop(f);
    ck_assert(weft_future_is_stopping_(f));
    ck_assert(!weft_future_is_done(f) && !weft_future_is_running(f));
    ck_assert_int_eq(weft_future_start(f), WEFT_OK);
    ck_assert(weft_future_is_stopping_(f));
    ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_OK);
    weft_future_request_stop(f);
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, NULL), WEFT_OK);
    weft_future_release(f);
}
END_TEST

static void *
fail_with(void *arg)
{
    return weft_fail(5, "task %d", *(int *)arg);
}

START_TEST(test_what_a_task_returns_finishes_it)
{
    int number = 12;
    weft_future *f = promise();
    weft_future *g = promise();
    void *result;
    const weft_error *error;

    ck_assert_int_eq(weft_future_start_(f), WEFT_OK);
    weft_future_finish_value_(f, succeed(&number));
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &number);
    ck_assert_int_eq(weft_future_start_(g), WEFT_OK);
    weft_future_finish_value_(g, fail_with(&number));
    ck_assert_int_eq(weft_future_error(g, WEFT_NOW, &error), WEFT_FAILED);
    ck_assert_int_eq(error->code, 5);
    ck_assert_str_eq(error->message, "task 12");
    weft_future_release(f);
    weft_future_release(g);
}
END_TEST

START_TEST(test_the_future_and_its_error_live_as_long_as_a_handle)
{
    weft_future *f = ended(ERROR);
    const weft_error *error;

    ck_assert_ptr_eq(weft_future_retain(f), f);
    ck_assert_int_eq(weft_future_error(f, WEFT_NOW, &error), WEFT_FAILED);
    weft_future_release(f);
    ck_assert_str_eq(error->message, "why 9");
    ck_assert_int_eq(weft_future_result(f, WEFT_NOW, NULL), WEFT_FAILED);
    weft_future_release(f);
    weft_future_release(NULL);
}
END_TEST

START_TEST(test_arguments_that_no_call_takes)
{
    weft_future *f = promise();

    ck_assert_int_eq(weft_future_create(NULL), WEFT_INVALID);
    ck_assert_int_eq(weft_future_on_done(f, NULL, NULL), WEFT_INVALID);
    weft_future_release(f);
}
END_TEST

/* Memory */

static void
ignore(weft_future *f, void *ctx)
{
    (void)f;
    (void)ctx;
}

START_TEST(test_create_and_on_done_fail_cleanly_without_memory)
{
    weft_future *f = NULL;

    alloc_fail_at(1);
    enum weft_status s = weft_future_create(&f);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert_int_eq(s, WEFT_NO_MEMORY);
    ck_assert_ptr_null(f);

    alloc_fail_at(2);
    s = weft_future_create(&f);
    const enum weft_status t = weft_future_on_done(f, ignore, NULL);
    ck_assert_uint_eq(alloc_fail_stop(), 2);
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(t, WEFT_NO_MEMORY);
    ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_OK);
    weft_future_release(f);
    weft_future_trim_();
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_an_error_without_memory_keeps_its_code)
{
    weft_future *f = promise();
    const weft_error *error;

    alloc_fail_at(1);
    const enum weft_status s = weft_future_set_error(f, 8, "lost %d", 1);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(weft_future_error(f, WEFT_NOW, &error), WEFT_FAILED);
    ck_assert_int_eq(error->code, 8);
    ck_assert_str_eq(error->message, "no memory for the message");
    weft_future_release(f);
}
END_TEST

/* Not at all, or as the ways above. */
static enum weft_status
end_somehow(weft_future *f, int how)
{
    if (how == RESULT)
        return weft_future_set_result(f, NULL);
    if (how == ERROR)
        return weft_future_set_error(f, 1, "why");
    if (how == CANCELLED)
        return weft_future_cancel(f) ? WEFT_OK : WEFT_BUSY;
    return WEFT_OK;
}

START_TEST(test_the_last_handle_gives_all_back)
{
    weft_future *f = NULL;
    enum weft_status s[4];

    alloc_fail_at(0);
    s[0] = weft_future_create(&f);
    s[1] = weft_future_on_done(f, ignore, NULL);
    s[2] = weft_future_on_done(f, ignore, NULL);
    s[3] = end_somehow(f, _i);
    const unsigned asked = alloc_fail_stop();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(s[i], WEFT_OK);
    ck_assert_uint_eq(asked, _i == ERROR ? 4 : 3);
    ck_assert_uint_eq(alloc_live(), _i == BROKEN ? 3 : _i == ERROR ? 2 : 1);
    weft_future_release(f);
    weft_future_trim_();
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

static const struct test tests[] = {
    {&test_a_future_is_pending_then_running_then_done, 1},
    {&test_a_pending_promise_may_be_set_without_a_start, ENDS},
    {&test_result_and_error_say_how_it_ended, ENDS},
    {&test_null_is_a_result, 1},
    {&test_an_error_without_a_format_has_an_empty_message, 1},
    {&test_setting_one_that_is_done_is_invalid_and_changes_nothing, ENDS},
    {&test_a_pools_future_is_not_to_be_set, 1},
    {&test_only_a_pending_one_can_be_cancelled, 1},
    {&test_a_wait_that_runs_out_leaves_it_as_it_was, 1},
    {&test_a_stop_is_asked_for_and_changes_nothing_else, 1},
    {&test_what_a_task_returns_finishes_it, 1},
    {&test_the_future_and_its_error_live_as_long_as_a_handle, 1},
    {&test_arguments_that_no_call_takes, 1},
    {&test_create_and_on_done_fail_cleanly_without_memory, 1},
    {&test_an_error_without_memory_keeps_its_code, 1},
    {&test_the_last_handle_gives_all_back, ENDS},
};

int
main(void)
{
    return run_tests("future", tests, sizeof(tests) / sizeof(tests[0]), 10);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_future_done.c - who is told that a future is done, and when.
 */
#include <weft/event.h>
#include <weft/future.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "pool/future_impl.h"
#include "testing.h"
#include "waiting.h"

static int calls;
static int order[8];
static pthread_t caller;

static weft_future *
promise(void)
{
    weft_future *f = NULL;

    ck_assert_int_eq(weft_future_create(&f), WEFT_OK);
    return f;
}

static void
note(weft_future *f, void *ctx)
{
    (void)f;
    order[calls++] = *(int *)ctx;
    caller = pthread_self();
}

/* The ways in which a promise's user can finish it. */
enum { BY_RESULT, BY_ERROR, BY_CANCEL, WAYS };

static void
finish(weft_future *f, int way)
{
    if (way == BY_RESULT)
        ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_OK);
    else if (way == BY_ERROR)
        ck_assert_int_eq(weft_future_set_error(f, 1, "why"), WEFT_OK);
    else
        ck_assert(weft_future_cancel(f));
}

struct finisher {
    weft_future *future;
    int way;
};

static void *
finish_here(void *arg)
{
    const struct finisher *how = arg;

    finish(how->future, how->way);
    return NULL;
}

START_TEST(test_functions_run_in_their_order_in_the_thread_that_finishes)
{
    struct finisher how = {promise(), _i}; /* F3 */
    int number[4] = {0, 1, 2, 3};
    pthread_t thread;

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(weft_future_on_done(how.future, note, &number[i]),
                         WEFT_OK);
    ck_assert_int_eq(calls, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, finish_here, &how), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(calls, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(order[i], i);
    ck_assert(!pthread_equal(caller, pthread_self()));
    weft_future_release(how.future);
}
END_TEST

START_TEST(test_a_function_of_one_that_is_done_runs_at_once_in_the_caller)
{
    weft_future *f = promise(); /* F3 */
    int number = 5;

    finish(f, _i);
    /* it may be done only just when it is to be linked */
    ck_assert_int_eq(weft_future_call_(f, note, &number), WEFT_BUSY);
    ck_assert_int_eq(calls, 0);
    ck_assert_int_eq(weft_future_on_done(f, note, &number), WEFT_OK);
    ck_assert_int_eq(calls, 1);
    ck_assert(pthread_equal(caller, pthread_self()));
    weft_future_release(f);
    ck_assert_int_eq(calls, 1);
}
END_TEST

static int again = 9;

/* Whether every call can be made from a function that is called. */
static void
call_everything(weft_future *f, void *ctx)
{
    (void)ctx;
    weft_future_release(weft_future_retain(f));
    ck_assert(weft_future_is_done(f));
    ck_assert_int_eq(weft_future_wait(f, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(weft_future_set_result(f, NULL), WEFT_INVALID);
    weft_future_cancel(f);
    ck_assert_int_eq(weft_future_on_done(f, note, &again), WEFT_OK);
    weft_future *one[] = {f};
    size_t done;
    ck_assert_int_eq(weft_wait(one, 1, WEFT_ALL_DONE, WEFT_FOREVER, &done),
                     WEFT_OK);
}

START_TEST(test_functions_run_outside_every_lock) /* F3 */
{
    weft_future *f = promise();
    int number = 4;

    ck_assert_int_eq(weft_future_on_done(f, call_everything, NULL), WEFT_OK);
    ck_assert_int_eq(weft_future_on_done(f, note, &number), WEFT_OK);
    finish(f, _i);
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(order[0], 9); /* it was done when it was registered */
    ck_assert_int_eq(order[1], 4);
    weft_future_release(f);
}
END_TEST

static void
give_back(weft_future *f, void *ctx)
{
    (void)ctx;
    calls++;
    weft_future_release(f);
}

START_TEST(test_a_function_may_give_the_last_handle_back)
{
    weft_future *f = promise();

    ck_assert_int_eq(weft_future_on_done(f, give_back, NULL), WEFT_OK);
    finish(f, _i);
    ck_assert_int_eq(calls, 1);
}
END_TEST

static weft_event waiter_is_back;

static void *
wait_then_say_so(void *arg)
{
    ck_assert_int_eq(weft_future_wait(arg, WEFT_FOREVER), WEFT_OK);
    weft_event_set(&waiter_is_back);
    return NULL;
}

static void
await_waiter(weft_future *f, void *ctx)
{
    (void)f;
    (void)ctx;
    ck_assert_int_eq(weft_event_wait(&waiter_is_back, WEFT_FOREVER), WEFT_OK);
    calls++;
}

START_TEST(test_waiting_threads_wake_before_functions_run) /* room 9 */
{
    weft_future *f = promise();
    pthread_t thread;

    ck_assert_int_eq(weft_future_on_done(f, await_waiter, NULL), WEFT_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_then_say_so, f), 0);
    until_waiting(f, 1);
    finish(f, _i);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    weft_future_release(f);
}
END_TEST

static void
fail_here(weft_future *f, void *ctx)
{
    (void)f;
    (void)ctx;
    const void *value = weft_fail(99, "in a function");
    (void)value;
    calls++;
}

START_TEST(test_what_a_function_notes_with_weft_fail_is_forgotten)
{
    weft_future *f = promise();
    weft_future *g = promise();
    const weft_error *error;

    ck_assert_int_eq(weft_future_start_(g), WEFT_OK);
    ck_assert_int_eq(weft_future_on_done(f, fail_here, NULL), WEFT_OK);
    void *value = weft_fail(1, "the task");
    finish(f, _i);
    ck_assert_int_eq(weft_future_on_done(f, fail_here, NULL), WEFT_OK);
    ck_assert_int_eq(calls, 2);
    weft_future_finish_value_(g, value);
    ck_assert_int_eq(weft_future_error(g, WEFT_NOW, &error), WEFT_FAILED);
    ck_assert_int_eq(error->code, 1);
    ck_assert_str_eq(error->message, "the task");
    weft_future_release(f);
    weft_future_release(g);
}
END_TEST

static void
end_thread(weft_future *f, void *ctx)
{
    (void)f;
    (void)ctx;
    calls++;
    pthread_exit(NULL);
}

START_TEST(test_a_function_that_ends_its_thread_ends_no_other)
{
    struct finisher how = {promise(), _i};
    int number = 3;
    pthread_t thread;

    ck_assert_int_eq(weft_future_on_done(how.future, end_thread, NULL),
                     WEFT_OK);
    ck_assert_int_eq(weft_future_on_done(how.future, note, &number), WEFT_OK);
    ck_assert_int_eq(weft_future_on_done(how.future, note, &number), WEFT_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, finish_here, &how), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(calls, 3);
    ck_assert(weft_future_is_done(how.future));
    weft_future_release(how.future);
    weft_future_release(how.future); /* the one of the call that ended */
}
END_TEST

START_TEST(test_functions_of_a_promise_that_is_given_up_are_not_called)
{
    weft_future *f = promise();
    int number = 1;

    ck_assert_int_eq(weft_future_on_done(f, note, &number), WEFT_OK);
    weft_future_release(f);
    ck_assert_int_eq(calls, 0);
}
END_TEST

/* Watchers */

static int notified;

static void
count_notice(struct weft_watcher_ *w, weft_future *f)
{
    (void)w;
    ck_assert(weft_future_is_done(f));
    notified++;
}

static void
see_notice(weft_future *f, void *ctx)
{
    (void)f;
    (void)ctx;
    ck_assert_int_eq(notified, 2);
    calls++;
}

START_TEST(test_watchers_are_notified_once_and_before_functions_run)
{
    weft_future *f = promise();
    struct weft_watcher_ w[4];

    for (int i = 0; i < 4; i++)
        w[i].notify = count_notice;
    ck_assert_int_eq(weft_future_on_done(f, see_notice, NULL), WEFT_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(weft_future_watch_(f, &w[i]), WEFT_OK);
    weft_future_unwatch_(f, &w[_i]); /* the first, one within, the last */
    weft_future_unwatch_(f, &w[(_i + 2) % 4]);
    finish(f, BY_RESULT);
    ck_assert_int_eq(notified, 2);
    ck_assert_int_eq(calls, 1);
    for (int i = 0; i < 4; i++)
        weft_future_unwatch_(f, &w[i]);
    ck_assert_int_eq(weft_future_watch_(f, &w[0]), WEFT_BUSY);
    weft_future_unwatch_(f, &w[0]);
    ck_assert_int_eq(notified, 2);
    weft_future_release(f);
}
END_TEST

/* fork */

#define EXPECT(truth)                  \
    do                                 \
        if (!(truth))                  \
            _exit(__LINE__ % 250 + 2); \
    while (0)

static void
use_in_child(weft_future *done, weft_future *not_done, weft_as_completed *it)
{
    weft_future *both[] = {done, not_done};
    weft_future *next;
    weft_as_completed *made;
    size_t n = 77;
    void *result;

    EXPECT(weft_future_result(done, WEFT_FOREVER, &result) == WEFT_OK);
    EXPECT(result == &again);
    EXPECT(weft_future_wait(not_done, WEFT_FOREVER) == WEFT_CLOSED);
    EXPECT(weft_future_result(not_done, WEFT_FOREVER, NULL) == WEFT_CLOSED);
    EXPECT(weft_future_error(not_done, WEFT_FOREVER, NULL) == WEFT_CLOSED);
    EXPECT(weft_future_result(not_done, WEFT_NOW, NULL) == WEFT_TIMEOUT);
    EXPECT(weft_future_on_done(not_done, note, NULL) == WEFT_CLOSED);
    EXPECT(weft_wait(both, 2, WEFT_ALL_DONE, WEFT_FOREVER, &n) == WEFT_CLOSED);
    EXPECT(n == 77);
    EXPECT(weft_wait(both, 2, WEFT_FIRST_DONE, WEFT_FOREVER, &n) == WEFT_OK);
    EXPECT(n == 1);
    EXPECT(weft_as_completed_create(&made, both, 2) == WEFT_CLOSED);
    EXPECT(weft_as_completed_next(it, WEFT_FOREVER, &next) == WEFT_CLOSED);
    weft_as_completed_destroy(it);
    weft_future_request_stop(not_done);
    EXPECT(weft_future_set_result(not_done, &again) == WEFT_OK);
    EXPECT(weft_future_result(not_done, WEFT_FOREVER, &result) == WEFT_OK);
    EXPECT(calls == 0); /* what the parent registered is not called */
    weft_future_release(not_done);
    weft_future_release(done);
    _exit(0);
}

START_TEST(test_a_forked_child_never_waits_for_its_parents_futures)
{
    weft_future *done = promise();
    weft_future *not_done = promise();
    weft_future *both[] = {done, not_done};
    weft_as_completed *it;
    pthread_t thread;
    int status;

    ck_assert_int_eq(weft_future_set_result(done, &again), WEFT_OK);
    ck_assert_int_eq(weft_future_on_done(not_done, note, &again), WEFT_OK);
    ck_assert_int_eq(weft_as_completed_create(&it, both, 2), WEFT_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_then_say_so, not_done),
                     0);
    until_waiting(not_done, 1);
    weft_brief_lock_(&not_done->lock); /* by a thread that is not there */
    const pid_t child = fork();
    if (child == 0)
        use_in_child(done, not_done, it);
    weft_brief_unlock_(&not_done->lock);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(weft_future_set_result(not_done, NULL), WEFT_OK);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    weft_as_completed_destroy(it);
    weft_future_release(done);
    weft_future_release(not_done);
}
END_TEST

START_TEST(test_a_forked_child_has_futures_of_its_own)
{
    int status;
    const pid_t child = fork();

    if (child == 0) {
        weft_future *f;
        int number = 1;
        EXPECT(weft_future_create(&f) == WEFT_OK);
        EXPECT(weft_future_on_done(f, note, &number) == WEFT_OK);
        EXPECT(weft_future_wait(f, weft_in_ms(1)) == WEFT_TIMEOUT);
        EXPECT(weft_future_set_result(f, NULL) == WEFT_OK);
        EXPECT(calls == 1);
        weft_future_release(f);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static const struct test tests[] = {
    {&test_functions_run_in_their_order_in_the_thread_that_finishes, WAYS},
    {&test_a_function_of_one_that_is_done_runs_at_once_in_the_caller, WAYS},
    {&test_functions_run_outside_every_lock, WAYS},
    {&test_a_function_may_give_the_last_handle_back, WAYS},
    {&test_waiting_threads_wake_before_functions_run, WAYS},
    {&test_what_a_function_notes_with_weft_fail_is_forgotten, WAYS},
    {&test_a_function_that_ends_its_thread_ends_no_other, WAYS},
    {&test_functions_of_a_promise_that_is_given_up_are_not_called, 1},
    {&test_watchers_are_notified_once_and_before_functions_run, 4},
    {&test_a_forked_child_never_waits_for_its_parents_futures, 1},
    {&test_a_forked_child_has_futures_of_its_own, 1},
};

int
main(void)
{
    return run_tests("future_done", tests, sizeof(tests) / sizeof(tests[0]),
                     10);
}

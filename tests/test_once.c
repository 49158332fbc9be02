/* SPDX-License-Identifier: MIT */
#include <weft/once.h>

#include <pthread.h>
#include <string.h>

#include "base/park.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "waiting.h"

#define THREADS 6

static weft_once once;
static unsigned runs; /* plain: only the thread inside writes it */
static unsigned failures_left;
static _Atomic bool go_on;
static _Atomic bool inside;

static enum weft_status
count_run(void *ctx)
{
    (void)ctx;
    runs++;
    return WEFT_OK;
}

static enum weft_status
fail_some_times(void *ctx)
{
    (void)ctx;
    runs++;
    if (failures_left == 0)
        return WEFT_OK;
    failures_left--;
    return WEFT_FULL;
}

/* Stay inside until the test says so; then return what `ctx` points to. */
static enum weft_status
stay(void *ctx)
{
    runs++;
    atomic_store_explicit(&inside, true, memory_order_relaxed);
    while (!atomic_load_explicit(&go_on, memory_order_relaxed))
        sched_yield();
    return *(const enum weft_status *)ctx;
}

static void
until_inside(void)
{
    while (!atomic_load_explicit(&inside, memory_order_relaxed))
        sched_yield();
}

static void
let_go(void)
{
    atomic_store_explicit(&go_on, true, memory_order_relaxed);
}

static pthread_t
start(void *(*fn)(void *), void *arg)
{
    pthread_t t;

    ck_assert_int_eq(pthread_create(&t, NULL, fn, arg), 0);
    return t;
}

static void *
run_staying(void *status)
{
    return (void *)(uintptr_t)weft_once_run(&once, stay, status);
}

static void *
run_counting(void *unused)
{
    (void)unused;
    const enum weft_status s = weft_once_run(&once, count_run, NULL);
    ck_assert_uint_ge(runs, 1); /* and it happened before */
    return (void *)(uintptr_t)s;
}

static void *
run_failing(void *unused)
{
    (void)unused;
    return (void *)(uintptr_t)weft_once_run(&once, fail_some_times, NULL);
}

static enum weft_status
status_of(pthread_t t)
{
    void *s;

    ck_assert_int_eq(pthread_join(t, &s), 0);
    return (enum weft_status)(uintptr_t)s;
}

START_TEST(test_once_is_four_bytes_and_zero_is_not_run)
{
    weft_once o;
    weft_once p = WEFT_ONCE_INIT;

    ck_assert_uint_eq(sizeof(o), 4);
    memset((void *)&o, 0, sizeof(o));
    ck_assert_int_eq(weft_once_run(&o, count_run, NULL), WEFT_OK);
    ck_assert_int_eq(weft_once_run(&p, count_run, NULL), WEFT_OK);
    ck_assert_uint_eq(runs, 2);
}
END_TEST

START_TEST(test_it_runs_once)
{
    /* _i is 1: the function of the library in the place of the inline one */
    enum weft_status (*volatile library)(
        weft_once *, enum weft_status(*)(void *), void *) = weft_once_run;

    for (int i = 0; i < 3; i++) {
        if (_i == 0)
            ck_assert_int_eq(weft_once_run(&once, count_run, NULL), WEFT_OK);
        else
            ck_assert_int_eq(library(&once, count_run, NULL), WEFT_OK);
    }
    ck_assert_uint_eq(runs, 1);
}
END_TEST

START_TEST(test_a_failed_run_says_why_and_may_be_tried_again)
{
    failures_left = 2;
    ck_assert_int_eq(weft_once_run(&once, fail_some_times, NULL), WEFT_FULL);
    ck_assert_int_eq(weft_once_run(&once, fail_some_times, NULL), WEFT_FULL);
    ck_assert_int_eq(weft_once_run(&once, fail_some_times, NULL), WEFT_OK);
    ck_assert_int_eq(weft_once_run(&once, fail_some_times, NULL), WEFT_OK);
    ck_assert_uint_eq(runs, 3);
}
END_TEST

START_TEST(test_no_function_is_invalid_until_it_is_done)
{
    ck_assert_int_eq(weft_once_run(&once, NULL, NULL), WEFT_INVALID);
    ck_assert_int_eq(weft_once_run(&once, count_run, NULL), WEFT_OK);
    ck_assert_int_eq(weft_once_run(&once, NULL, NULL), WEFT_OK);
}
END_TEST

static enum weft_status
enter_again(void *o)
{
    runs++;
    ck_assert_int_eq(weft_once_run(o, count_run, NULL), WEFT_DEADLOCK);
    return WEFT_OK;
}

START_TEST(test_entering_from_inside_is_a_deadlock)
{
    ck_assert_int_eq(weft_once_run(&once, enter_again, &once), WEFT_OK);
    ck_assert_int_eq(weft_once_run(&once, count_run, NULL), WEFT_OK);
    ck_assert_uint_eq(runs, 1);
}
END_TEST

static enum weft_status
enter_other(void *o)
{
    return weft_once_run(o, count_run, NULL);
}

START_TEST(test_another_once_may_run_inside)
{
    weft_once other = WEFT_ONCE_INIT;

    ck_assert_int_eq(weft_once_run(&once, enter_other, &other), WEFT_OK);
    ck_assert_int_eq(weft_once_run(&other, count_run, NULL), WEFT_OK);
    ck_assert_uint_eq(runs, 1);
}
END_TEST

START_TEST(test_others_wait_until_it_is_done)
{
    static enum weft_status ok = WEFT_OK;
    pthread_t waiters[THREADS];
    pthread_t runner = start(run_staying, &ok);

    until_inside();
    for (size_t i = 0; i < THREADS; i++)
        waiters[i] = start(run_counting, NULL);
    until_waiting(&once, THREADS);
    let_go();
    ck_assert_int_eq(status_of(runner), WEFT_OK);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(status_of(waiters[i]), WEFT_OK);
    ck_assert_uint_eq(runs, 1);
}
END_TEST

START_TEST(test_after_a_failure_those_who_wait_run_one_by_one)
{
    static enum weft_status broken = WEFT_BROKEN;
    pthread_t waiters[THREADS];
    pthread_t runner = start(run_staying, &broken);
    unsigned failed = 0;

    until_inside();
    failures_left = THREADS - 2;
    for (size_t i = 0; i < THREADS; i++)
        waiters[i] = start(run_failing, NULL);
    until_waiting(&once, THREADS);
    let_go();
    ck_assert_int_eq(status_of(runner), WEFT_BROKEN);
    for (size_t i = 0; i < THREADS; i++) {
        const enum weft_status s = status_of(waiters[i]);
        failed += s == WEFT_FULL;
        ck_assert(s == WEFT_FULL || s == WEFT_OK);
    }
    ck_assert_uint_eq(failed, THREADS - 2);
    ck_assert_uint_eq(runs, THREADS);
}
END_TEST

static enum weft_status
leave_the_thread(void *ctx)
{
    runs++;
    if (ctx != NULL)
        pthread_exit(NULL);
    atomic_store_explicit(&inside, true, memory_order_relaxed);
    for (;;) {
        pthread_testcancel();
        sched_yield();
    }
    return WEFT_OK;
}

static void *
run_and_end(void *how)
{
    (void)!weft_once_run(&once, leave_the_thread, how);
    return NULL;
}

START_TEST(test_a_thread_that_exits_inside_has_failed)
{
    (void)status_of(start(run_and_end, &once));
    ck_assert_int_eq(weft_once_run(&once, count_run, NULL), WEFT_OK);
    ck_assert_uint_eq(runs, 2);
}
END_TEST

START_TEST(test_a_thread_cancelled_inside_lets_the_next_run)
{
    pthread_t runner = start(run_and_end, NULL);
    pthread_t waiters[THREADS];

    until_inside();
    for (size_t i = 0; i < THREADS; i++)
        waiters[i] = start(run_counting, NULL);
    until_waiting(&once, THREADS);
    pthread_cancel(runner);
    pthread_join(runner, NULL);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(status_of(waiters[i]), WEFT_OK);
    ck_assert_uint_eq(runs, 2);
}
END_TEST

static void *
run_then_test_cancel(void *status)
{
    *(enum weft_status *)status = weft_once_run(&once, count_run, NULL);
    pthread_testcancel();
    return NULL;
}

START_TEST(test_waiting_is_no_cancellation_point)
{
    static enum weft_status ok = WEFT_OK;
    enum weft_status s = WEFT_INVALID;
    pthread_t runner = start(run_staying, &ok);
    void *end;

    until_inside();
    pthread_t waiter = start(run_then_test_cancel, &s);
    until_waiting(&once, 1);
    pthread_cancel(waiter);
    let_go();
    pthread_join(waiter, &end);
    ck_assert_ptr_eq(end, PTHREAD_CANCELED);
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(status_of(runner), WEFT_OK);
}
END_TEST

static enum weft_status
look_at_held(void *o)
{
    struct weft_self *s = weft_self_get_();

    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_ptr_eq(s->held[0].object, o);
    ck_assert_int_eq(s->held[0].kind, WEFT_KIND_ONCE);
    return WEFT_OK;
}

START_TEST(test_watched_it_is_held_by_who_runs_it)
{
    weft_watch_enable_(true);
    ck_assert_int_eq(weft_once_run(&once, look_at_held, &once), WEFT_OK);
    ck_assert_uint_eq(weft_self_get_()->held_count, 0);
    weft_watch_enable_(false);
}
END_TEST

/* Many at once, on fresh words, with failures in between. */
#define ROUNDS 2000

static weft_once onces[ROUNDS];
static unsigned left[ROUNDS];
static unsigned done[ROUNDS];
static pthread_barrier_t line;

static enum weft_status
fail_then_do(void *ctx)
{
    const size_t i = (size_t)((unsigned *)ctx - left);

    if (left[i] > 0) {
        left[i]--;
        return WEFT_FAILED;
    }
    done[i]++;
    return WEFT_OK;
}

static void *
race(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < ROUNDS; i++) {
        if (i % 50 == 0)
            pthread_barrier_wait(&line);
        while (weft_once_run(&onces[i], fail_then_do, &left[i]) != WEFT_OK)
            ;
        ck_assert_uint_eq(done[i], 1);
    }
    return NULL;
}

START_TEST(test_racing_threads_run_it_until_it_succeeds_and_no_more)
{
    pthread_t threads[THREADS];
    cpu_set_t first;

    if (_i == 1) { /* on one CPU */
        CPU_ZERO(&first);
        CPU_SET(0, &first);
        ck_assert_int_eq(sched_setaffinity(0, sizeof(first), &first), 0);
        weft_park_recount_();
    }
    weft_watch_enable_(_i == 2);
    pthread_barrier_init(&line, NULL, THREADS);
    for (size_t i = 0; i < ROUNDS; i++)
        left[i] = i % 4;
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = start(race, NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < ROUNDS; i++)
        ck_assert_uint_eq(left[i] + done[i], 1);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_once_is_four_bytes_and_zero_is_not_run, 1},
        {&test_it_runs_once, 2},
        {&test_a_failed_run_says_why_and_may_be_tried_again, 1},
        {&test_no_function_is_invalid_until_it_is_done, 1},
        {&test_entering_from_inside_is_a_deadlock, 1},
        {&test_another_once_may_run_inside, 1},
        {&test_others_wait_until_it_is_done, 1},
        {&test_after_a_failure_those_who_wait_run_one_by_one, 1},
        {&test_a_thread_that_exits_inside_has_failed, 1},
        {&test_a_thread_cancelled_inside_lets_the_next_run, 1},
        {&test_waiting_is_no_cancellation_point, 1},
        {&test_watched_it_is_held_by_who_runs_it, 1},
        {&test_racing_threads_run_it_until_it_succeeds_and_no_more, 3},
    };

    return run_tests("once", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

/* SPDX-License-Identifier: MIT */
#include <weft/thread.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/fail.h"
#include "testing.h"
#include "tsan_options.h"

/* The linker sends the library's threads here; see the program's LDFLAGS. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);

static int creates_until_failure; /* 0: never */
static int failure;

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                      void *(*run)(void *), void *arg)
{
    if (creates_until_failure > 0 && --creates_until_failure == 0)
        return failure;
    return __real_pthread_create(thread, attr, run, arg);
}

/* A handle that is still there at exit is what is tested here. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "detect_leaks=0";
}

static pthread_barrier_t gate;

static weft_thread *
start(weft_fn *fn, void *arg)
{
    weft_thread *t = NULL;

    ck_assert_int_eq(weft_thread_start(&t, fn, arg, NULL), WEFT_OK);
    return t;
}

static void *
fail_now(void *arg)
{
    errno = ENOENT;
    void *failed = weft_fail(42, "%s is %d", (char *)arg, 7);
    ck_assert_int_eq(errno, ENOENT);
    return failed;
}

static void *
fail_at_gate(void *arg)
{
    pthread_barrier_wait(&gate);
    return fail_now(arg);
}

/* What the hook was told. */
static _Atomic int told;
static uint64_t told_id;
static int told_code;
static char told_message[64];
static char told_name[64];
static void *told_ctx;

static void
note(weft_thread *t, const weft_error *error, void *ctx)
{
    told_id = weft_thread_id(t);
    told_code = error->code;
    told_ctx = ctx;
    snprintf(told_message, sizeof(told_message), "%s", error->message);
    snprintf(told_name, sizeof(told_name), "%s", weft_thread_name(t));
    atomic_fetch_add_explicit(&told, 1, memory_order_release);
}

static int
times_told(void)
{
    return atomic_load_explicit(&told, memory_order_acquire);
}

START_TEST(test_a_failed_thread_is_failed_for_all_who_join)
{
    void *result = &gate;

    weft_thread_set_failure_hook(note, NULL);
    weft_thread *t = start(fail_now, "x");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result),
                         WEFT_FAILED);
        ck_assert_ptr_eq(result, &gate);
        const weft_error *error = weft_thread_error(t);
        ck_assert_int_eq(error->code, 42);
        ck_assert_str_eq(error->message, "x is 7");
    }
    weft_thread_release(t);
    ck_assert_int_eq(times_told(), 0); /* it was asked for */
}
END_TEST

START_TEST(test_error_is_null_unless_it_has_failed)
{
    pthread_barrier_init(&gate, NULL, 2);
    weft_thread *t = start(fail_at_gate, "x");
    ck_assert_ptr_null(weft_thread_error(t));
    pthread_barrier_wait(&gate);
    while (weft_thread_error(t) == NULL)
        sched_yield();
    ck_assert_int_eq(weft_thread_error(t)->code, 42);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_FAILED);
    weft_thread_release(t);
    ck_assert_ptr_null(weft_thread_error(weft_thread_main()));
}
END_TEST

START_TEST(test_a_thread_without_handles_that_fails_reaches_the_hook)
{
    pthread_barrier_init(&gate, NULL, 2);
    weft_thread_set_failure_hook(note, &gate);
    weft_thread *t = start(fail_at_gate, "y");
    const uint64_t id = weft_thread_id(t);
    weft_thread_set_name(t, "the failing one");
    weft_thread_release(t);
    ck_assert_int_eq(times_told(), 0);
    pthread_barrier_wait(&gate);
    while (times_told() == 0)
        sched_yield();
    ck_assert_uint_eq(told_id, id);
    ck_assert_int_eq(told_code, 42);
    ck_assert_str_eq(told_message, "y is 7");
    ck_assert_str_eq(told_name, "the failing one");
    ck_assert_ptr_eq(told_ctx, &gate);
    while (weft_thread_count() > 1)
        sched_yield();
    ck_assert_int_eq(times_told(), 1);
}
END_TEST

START_TEST(test_a_failure_is_reported_when_the_last_handle_goes)
{
    weft_thread_set_failure_hook(note, NULL);
    weft_thread *t = start(fail_now, "z");
    weft_thread *again = weft_thread_retain(t);
    const uint64_t id = weft_thread_id(t);
    while (weft_thread_is_alive(t))
        sched_yield();
    weft_thread_release(t);
    ck_assert_int_eq(times_told(), 0);
    weft_thread_release(again);
    ck_assert_int_eq(times_told(), 1);
    ck_assert_uint_eq(told_id, id);
}
END_TEST

START_TEST(test_a_failure_is_reported_once_whoever_comes_last)
{
    weft_thread_set_failure_hook(note, NULL);
    pthread_barrier_init(&gate, NULL, 2);
    for (int i = 1; i <= 500; i++) {
        weft_thread *t = start(fail_at_gate, "r");
        pthread_barrier_wait(&gate);
        weft_thread_release(t); /* while it fails */
        while (weft_thread_count() > 1)
            sched_yield();
        ck_assert_int_eq(times_told(), i);
    }
}
END_TEST

static void *
fail_and_succeed(void *arg)
{
    (void)!weft_fail(1, "forgotten");
    return arg;
}

static void *
fail_twice(void *arg)
{
    (void)arg;
    (void)!weft_fail(1, "first");
    return weft_fail(2, NULL);
}

static void *
fail_and_exit(void *arg)
{
    (void)!weft_fail(1, "forgotten");
    pthread_exit(arg);
}

START_TEST(test_only_what_is_returned_counts)
{
    void *result = NULL;

    weft_thread *t = start(fail_and_succeed, &gate);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &gate);
    weft_thread_release(t);
    t = start(fail_twice, NULL);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_FAILED);
    ck_assert_int_eq(weft_thread_error(t)->code, 2);
    ck_assert_str_eq(weft_thread_error(t)->message, "");
    weft_thread_release(t);
    t = start(fail_and_exit, &gate);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &gate);
    weft_thread_release(t);
}
END_TEST

START_TEST(test_a_failure_without_memory_keeps_its_code)
{
    weft_error error;

    alloc_fail_at(1);
    const void *value = weft_fail(5, "%d", 1);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert(weft_fail_take_(value, &error));
    ck_assert_int_eq(error.code, 5);
    ck_assert_str_eq(error.message, "no memory for the message");
    weft_fail_free_(&error);
    ck_assert(!weft_fail_take_(value, &error));
}
END_TEST

START_TEST(test_what_was_noted_can_be_put_aside)
{
    weft_error error;
    const void *outer = weft_fail(1, "outer");
    const weft_error saved = weft_fail_save_();
    const void *inner = weft_fail(2, "inner");

    ck_assert(weft_fail_take_(inner, &error));
    ck_assert_int_eq(error.code, 2);
    weft_fail_free_(&error);
    weft_fail_restore_(saved);
    ck_assert(weft_fail_take_(outer, &error));
    ck_assert_str_eq(error.message, "outer");
    weft_fail_free_(&error);
}
END_TEST

static void
fail_in_hook(weft_thread *t, const weft_error *error, void *ctx)
{
    note(t, error, ctx);
    (void)!weft_fail(99, "the hook has failed");
}

START_TEST(test_a_hook_that_fails_is_not_fatal)
{
    weft_thread_set_failure_hook(fail_in_hook, NULL);
    for (int i = 1; i <= 3; i++) {
        weft_thread_release(start(fail_now, "h"));
        while (weft_thread_count() > 1)
            sched_yield();
        ck_assert_int_eq(times_told(), i);
        ck_assert_int_eq(told_code, 42);
    }
}
END_TEST

/* What the child that runs `act` writes to standard error. */
static void
read_stderr_of(void (*act)(void), char *text, size_t bytes)
{
    int pipes[2];
    int status;
    size_t n = 0;
    ssize_t got;

    ck_assert_int_eq(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        act();
        exit(0);
    }
    close(pipes[1]);
    while ((got = read(pipes[0], text + n, bytes - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void
fail_unasked(void)
{
    const weft_thread_options options = {.name = "worker"};
    weft_thread *t;

    if (weft_thread_start(&t, fail_now, "it", &options) != WEFT_OK)
        _exit(1);
    if (weft_thread_id(t) != 2)
        _exit(2);
    if (told_ctx == NULL)
        weft_thread_release(t);
}

START_TEST(test_without_a_hook_one_line_is_written)
{
    char text[256];

    /* Given back, or still there when the process exits. */
    told_ctx = _i == 0 ? NULL : &told_ctx;
    read_stderr_of(fail_unasked, text, sizeof(text));
    ck_assert_str_eq(text, "weft: thread 2 (worker) failed: it is 7 (42)\n");
}
END_TEST

static void *
do_nothing(void *arg)
{
    return arg;
}

START_TEST(test_the_system_has_no_thread_for_us)
{
    static const struct {
        int error;
        enum weft_status status;
    } cases[] = {{EAGAIN, WEFT_SYSTEM},
                 {EPERM, WEFT_SYSTEM},
                 {EINVAL, WEFT_SYSTEM},
                 {ENOMEM, WEFT_NO_MEMORY}};
    weft_thread *threads[10];

    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
        for (int k = 1; k <= 10; k++) {
            weft_thread *none = NULL;
            int started = 0;
            creates_until_failure = k;
            failure = cases[c].error;
            errno = 0;
            for (int i = 0; i < 10; i++) {
                const enum weft_status s =
                    weft_thread_start(i + 1 == k ? &none : &threads[started],
                                      do_nothing, NULL, NULL);
                if (i + 1 != k) {
                    ck_assert_int_eq(s, WEFT_OK);
                    started++;
                    continue;
                }
                ck_assert_int_eq(s, cases[c].status);
                if (s == WEFT_SYSTEM)
                    ck_assert_int_eq(errno, cases[c].error);
                ck_assert_ptr_null(none);
            }
            for (int i = 0; i < started; i++) {
                ck_assert_int_eq(
                    weft_thread_join(threads[i], WEFT_FOREVER, NULL), WEFT_OK);
                weft_thread_release(threads[i]);
            }
            ck_assert_uint_eq(weft_thread_count(), 1);
        }
}
END_TEST

START_TEST(test_start_without_memory_starts_nothing)
{
    const weft_thread_options options = {.name = "a name", .pin = true};

    for (unsigned k = 1;; k++) {
        weft_thread *t = NULL;
        alloc_fail_at(k);
        const enum weft_status s =
            weft_thread_start(&t, do_nothing, NULL, &options);
        const unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(s, WEFT_OK);
            ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
            weft_thread_release(t);
            break;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(t);
        ck_assert_uint_eq(weft_thread_count(), 1);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_failed_thread_is_failed_for_all_who_join, 1},
        {&test_error_is_null_unless_it_has_failed, 1},
        {&test_a_thread_without_handles_that_fails_reaches_the_hook, 1},
        {&test_a_failure_is_reported_when_the_last_handle_goes, 1},
        {&test_a_failure_is_reported_once_whoever_comes_last, 1},
        {&test_only_what_is_returned_counts, 1},
        {&test_a_failure_without_memory_keeps_its_code, 1},
        {&test_what_was_noted_can_be_put_aside, 1},
        {&test_a_hook_that_fails_is_not_fatal, 1},
        {&test_without_a_hook_one_line_is_written, 2},
        {&test_the_system_has_no_thread_for_us, 1},
        {&test_start_without_memory_starts_nothing, 1},
    };

    return run_tests("thread_fail", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}

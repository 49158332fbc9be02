/* SPDX-License-Identifier: MIT */
/*
 * test_contract_blocking_waits.c - who waits for a blocking queue, how long,
 * and who is woken.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/deadline.h"
#include "blocking.h"
#include "kernel_calls.h"
#include "testing.h"
#include "waiting.h"

#define WAITING 3

/* How many threads of this process but the calling one sleep in the kernel. */
static size_t
count_asleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t n = 0;
    char path[300];
    char state;

    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *e; (e = readdir(tasks)) != NULL;) {
        if (e->d_name[0] == '.' || atol(e->d_name) == syscall(SYS_gettid))
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            continue;
        n += fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state == 'S';
        fclose(f);
    }
    closedir(tasks);
    return n;
}

/* Return when `n` threads wait for `q`, and sleep. */
static void
until_asleep(const weft_queue *q, size_t n)
{
    until_waiting(q, n);
    while (count_asleep() < n)
        sched_yield();
}

START_TEST(test_a_get_waits_for_a_put)
{
    struct call get;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL)
        return;
    start_get(&get, q, WEFT_FOREVER);
    until_asleep(q, 1);
    put_number(q, 5);
    ck_assert_int_eq(end_of(&get), WEFT_OK);
    ck_assert_ptr_eq(get.item, item(5));
    ck_assert(weft_queue_is_empty(q));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_put_waits_for_a_get)
{
    struct call put;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL || !is_bounded(_i)) {
        weft_queue_destroy(q);
        return;
    }
    put_number(q, 5);
    start_put(&put, q, 6, WEFT_FOREVER);
    until_asleep(q, 1);
    ck_assert_uint_eq(weft_queue_size(q), 1);
    ck_assert_uint_eq(weft_queue_unfinished(q), 1);
    ck_assert_uint_eq(get_number(q), 5);
    ck_assert_int_eq(end_of(&put), WEFT_OK);
    ck_assert_uint_eq(get_number(q), 6);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_wait_that_runs_out_says_timeout_and_not_too_early)
{
    weft_queue *q = open_queue(_i, 1);
    void *got = item(77);
    size_t done = 77;

    if (q == NULL)
        return;
    weft_deadline end = weft_in_ms(40);
    ck_assert_int_eq(weft_queue_get(q, &got, end), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), end);
    ck_assert_ptr_eq(got, item(77));
    end = weft_in_ms(30);
    ck_assert_int_eq(weft_queue_get_n(q, &got, 1, end, &done), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), end);
    put_number(q, 1);
    end = weft_in_ms(30);
    ck_assert_int_eq(weft_queue_join(q, end), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), end);
    if (is_bounded(_i)) {
        end = weft_in_ms(30);
        ck_assert_int_eq(weft_queue_put(q, got, end), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), end);
        end = weft_in_ms(30);
        ck_assert_int_eq(weft_queue_put_n(q, &got, 1, end, &done),
                         WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), end);
    }
    ck_assert_uint_eq(done, 77);
    ck_assert_uint_eq(weft_queue_size(q), 1);
    ck_assert_uint_eq(count_waiting(q), 0);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_put_wakes_at_most_one_get)
{
    struct call get[WAITING];
    weft_queue *q = open_queue(_i, WAITING);

    if (q == NULL)
        return;
    for (int k = 0; k < WAITING; k++)
        start_get(&get[k], q, WEFT_FOREVER);
    for (size_t left = WAITING; left > 0; left--) {
        until_asleep(q, left);
        kernel_calls = kernel_woken = 0;
        put_number(q, left);
        ck_assert(kernel_calls <= 1 || gives_back(_i));
        ck_assert(kernel_woken <= 1 || gives_back(_i));
        until_waiting(q, left - 1);
    }
    size_t sum = 0;
    for (int k = 0; k < WAITING; k++) {
        ck_assert_int_eq(end_of(&get[k]), WEFT_OK);
        sum += number(get[k].item);
    }
    ck_assert_uint_eq(sum, 1 + 2 + 3);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_get_wakes_at_most_one_put)
{
    struct call put[WAITING];
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL || !is_bounded(_i)) {
        weft_queue_destroy(q);
        return;
    }
    put_number(q, 10);
    for (size_t k = 0; k < WAITING; k++)
        start_put(&put[k], q, k + 1, WEFT_FOREVER);
    size_t sum = 0;
    for (size_t left = WAITING; left > 0; left--) {
        until_asleep(q, left);
        kernel_calls = kernel_woken = 0;
        sum += get_number(q);
        ck_assert(kernel_calls <= 1 || gives_back(_i));
        ck_assert(kernel_woken <= 1 || gives_back(_i));
        until_waiting(q, left - 1);
    }
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&put[k]), WEFT_OK);
    ck_assert_uint_eq(sum + get_number(q), 10 + 1 + 2 + 3);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_n_items_at_once_wake_n_gets)
{
    struct call get[WAITING];
    void *in[WAITING] = {item(1), item(2), item(3)};
    size_t done = 0;
    weft_queue *q = open_queue(_i, WAITING);

    if (q == NULL)
        return;
    for (int k = 0; k < WAITING; k++)
        start_get(&get[k], q, WEFT_FOREVER);
    until_asleep(q, WAITING);
    ck_assert_int_eq(weft_queue_put_n(q, in, WAITING, WEFT_NOW, &done),
                     WEFT_OK);
    ck_assert_uint_eq(done, WAITING);
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&get[k]), WEFT_OK);
    ck_assert(weft_queue_is_empty(q));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_room_for_n_at_once_wakes_n_puts)
{
    struct call put[WAITING];
    void *out[WAITING];
    size_t done = 0;
    weft_queue *q = open_queue(_i, WAITING);

    if (q == NULL || !is_bounded(_i)) {
        weft_queue_destroy(q);
        return;
    }
    for (size_t k = 0; k < WAITING; k++)
        put_number(q, k);
    for (size_t k = 0; k < WAITING; k++)
        start_put(&put[k], q, 10 + k, WEFT_FOREVER);
    until_asleep(q, WAITING);
    for (size_t left = WAITING; left > 0; left -= done)
        ck_assert_int_eq(weft_queue_get_n(q, out, left, WEFT_NOW, &done),
                         WEFT_OK);
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&put[k]), WEFT_OK);
    ck_assert_uint_eq(weft_queue_size(q), WAITING);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_no_system_call_where_nobody_sleeps)
{
    weft_queue *q = open_queue(_i, 4);
    void *in[2] = {item(1), item(2)};
    void *out[2];
    size_t done;

    if (q == NULL)
        return;
    kernel_calls = 0;
    for (int k = 0; k < 100; k++) {
        put_number(q, 1);
        get_number(q);
        ck_assert_int_eq(weft_queue_put_n(q, in, 2, WEFT_FOREVER, &done),
                         WEFT_OK);
        ck_assert_int_eq(weft_queue_get_n(q, out, 2, WEFT_FOREVER, &done),
                         WEFT_OK);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
        ck_assert_int_eq(weft_queue_join(q, WEFT_FOREVER), WEFT_OK);
        ck_assert_int_eq(weft_queue_get(q, out, WEFT_NOW), WEFT_EMPTY);
    }
    ck_assert(kernel_calls == 0 || gives_back(_i));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_who_timed_out_is_not_woken)
{
    weft_queue *q = open_queue(_i, 1);
    void *got;

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_get(q, &got, weft_in_ms(30)), WEFT_TIMEOUT);
    kernel_calls = 0;
    put_number(q, 1);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    if (is_bounded(_i))
        ck_assert_int_eq(weft_queue_put(q, item(2), weft_in_ms(30)),
                         WEFT_TIMEOUT);
    ck_assert_int_eq(weft_queue_join(q, weft_in_ms(1)), WEFT_TIMEOUT);
    kernel_calls = 0;
    get_number(q);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_join_waits_for_every_task)
{
    struct call join[WAITING];
    weft_queue *q = open_queue(_i, 3);

    if (q == NULL)
        return;
    for (size_t k = 0; k < 3; k++)
        put_number(q, k);
    for (int k = 0; k < WAITING; k++)
        start_join(&join[k], q, WEFT_FOREVER);
    until_asleep(q, WAITING);
    for (int k = 0; k < 3; k++) {
        get_number(q);
        ck_assert_uint_eq(count_waiting(q), WAITING);
        ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    }
    for (int k = 0; k < WAITING; k++)
        ck_assert_int_eq(end_of(&join[k]), WEFT_OK);
    weft_queue_destroy(q);
}
END_TEST

/* That nothing was unfinished at one moment is enough. */
START_TEST(test_join_returns_though_more_was_put_meanwhile)
{
    struct call join;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL)
        return;
    put_number(q, 1);
    start_join(&join, q, WEFT_FOREVER);
    until_asleep(q, 1);
    get_number(q);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    put_number(q, 2);
    ck_assert_int_eq(end_of(&join), WEFT_OK);
    ck_assert_uint_eq(weft_queue_unfinished(q), 1);
    weft_queue_destroy(q);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_get_waits_for_a_put, FORMS},
        {&test_a_put_waits_for_a_get, FORMS},
        {&test_a_wait_that_runs_out_says_timeout_and_not_too_early, FORMS},
        {&test_a_put_wakes_at_most_one_get, FORMS},
        {&test_a_get_wakes_at_most_one_put, FORMS},
        {&test_n_items_at_once_wake_n_gets, FORMS},
        {&test_room_for_n_at_once_wakes_n_puts, FORMS},
        {&test_no_system_call_where_nobody_sleeps, FORMS},
        {&test_who_timed_out_is_not_woken, FORMS},
        {&test_join_waits_for_every_task, FORMS},
        {&test_join_returns_though_more_was_put_meanwhile, FORMS},
    };

    return run_tests("blocking queue waits", tests,
                     sizeof(tests) / sizeof(tests[0]), 20);
}

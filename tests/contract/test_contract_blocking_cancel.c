/* SPDX-License-Identifier: MIT */
/*
 * test_contract_blocking_cancel.c - threads that are cancelled in a call of a
 * blocking queue, and processes that fork.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "blocking.h"
#include "kernel_calls.h"
#include "sleepers.h"
#include "testing.h"
#include "waiting.h"

#define VICTIMS 60

/* A call that may be cancelled; done says that it returned. */
struct victim {
    weft_queue *q;
    void *item;
    bool done;
    pthread_t thread;
};

static void *
get_item(void *arg)
{
    struct victim *v = arg;

    must(weft_queue_get(v->q, &v->item, WEFT_FOREVER) == WEFT_OK);
    v->done = true;
    return NULL;
}

static void *
put_item(void *arg)
{
    struct victim *v = arg;

    must(weft_queue_put(v->q, v->item, WEFT_FOREVER) == WEFT_OK);
    v->done = true;
    return NULL;
}

static void *
join_queue(void *arg)
{
    struct victim *v = arg;

    must(weft_queue_join(v->q, WEFT_FOREVER) == WEFT_OK);
    v->done = true;
    return NULL;
}

static void *
wait_for_both(void *arg)
{
    struct victim *v = arg;
    size_t index;

    must(weft_queue_wait_any((weft_queue *[]){v->q, v->item}, 2, WEFT_FOREVER,
                             &index) == WEFT_OK);
    v->done = true;
    return NULL;
}

static void
start(struct victim *v, void *(*run)(void *v), weft_queue *q, void *what)
{
    *v = (struct victim){.q = q, .item = what};
    must(pthread_create(&v->thread, NULL, run, v) == 0);
}

/* Cancel it; whether it was done before. */
static bool
end(struct victim *v)
{
    must(pthread_cancel(v->thread) == 0);
    must(pthread_join(v->thread, NULL) == 0);
    return v->done;
}

START_TEST(test_a_cancelled_get_is_as_if_it_had_not_been)
{
    struct victim v;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL)
        return;
    start(&v, get_item, q, NULL);
    until_waiting(q, 1);
    must(!end(&v));
    ck_assert_uint_eq(count_waiting(q), 0);
    kernel_calls = 0;
    put_number(q, 1);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    ck_assert_uint_eq(get_number(q), 1);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_cancelled_put_is_as_if_it_had_not_been)
{
    struct victim v;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL || !is_bounded(_i)) {
        weft_queue_destroy(q);
        return;
    }
    put_number(q, 1);
    start(&v, put_item, q, item(2));
    until_waiting(q, 1);
    must(!end(&v));
    ck_assert_uint_eq(weft_queue_size(q), 1);
    ck_assert_uint_eq(weft_queue_unfinished(q), 1);
    kernel_calls = 0;
    ck_assert_uint_eq(get_number(q), 1);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    put_number(q, 3);
    ck_assert_uint_eq(get_number(q), 3);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_cancelled_join_is_as_if_it_had_not_been)
{
    struct victim v;
    struct call other;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL)
        return;
    put_number(q, 1);
    start(&v, join_queue, q, NULL);
    start_join(&other, q, WEFT_FOREVER);
    until_waiting(q, 2);
    must(!end(&v));
    get_number(q);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    ck_assert_int_eq(end_of(&other), WEFT_OK);
    put_number(q, 1);
    get_number(q);
    kernel_calls = 0;
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_cancelled_wait_for_any_is_as_if_it_had_not_been)
{
    struct victim v;
    weft_queue *q = open_queue(_i, 1);
    weft_queue *other = open_queue(_i, 1);

    if (q == NULL)
        return;
    start(&v, wait_for_both, q, other);
    until_waiting(q, 1);
    must(!end(&v));
    ck_assert_uint_eq(count_waiting(q), 0);
    kernel_calls = 0;
    put_number(q, 1);
    put_number(other, 1);
    ck_assert(kernel_calls == 0 || gives_back(_i));
    weft_queue_destroy(q);
    weft_queue_destroy(other);
}
END_TEST

/* One of two who wait is cancelled just as an item comes: it has the item, or
 * the other one gets it. */
START_TEST(test_cancelling_a_get_loses_no_item)
{
    struct victim v[2];
    weft_queue *q = open_queue(_i, 2);

    if (q == NULL)
        return;
    for (size_t i = 0; i < VICTIMS; i++) {
        start(&v[0], get_item, q, NULL);
        start(&v[1], get_item, q, NULL);
        if (i % 2 == 0)
            until_waiting(q, 2);
        for (size_t k = 0; k < i % 7; k++)
            sched_yield();
        put_number(q, 1);
        if (end(&v[0]))
            put_number(q, 2);
        must(pthread_join(v[1].thread, NULL) == 0);
        ck_assert_uint_eq(weft_queue_size(q), 0);
        ck_assert_uint_eq(number(v[0].item) + number(v[1].item),
                          v[0].done ? 3 : 1);
    }
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_cancelling_a_put_loses_no_room)
{
    struct victim v[2];
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL || !is_bounded(_i)) {
        weft_queue_destroy(q);
        return;
    }
    put_number(q, 7);
    for (size_t i = 0; i < VICTIMS; i++) {
        start(&v[0], put_item, q, item(1));
        start(&v[1], put_item, q, item(2));
        if (i % 2 == 0)
            until_waiting(q, 2);
        for (size_t k = 0; k < i % 7; k++)
            sched_yield();
        const size_t first = get_number(q);
        size_t second = 0;
        if (end(&v[0]))
            must(weft_queue_get(q, &v[0].item, WEFT_FOREVER) == WEFT_OK &&
                 (second = number(v[0].item)) != 0);
        must(pthread_join(v[1].thread, NULL) == 0);
        const size_t third = get_number(q);
        ck_assert_uint_eq(first, 7);
        ck_assert_uint_eq(second + third, v[0].done ? 3 : 2);
        put_number(q, 7);
    }
    weft_queue_destroy(q);
}
END_TEST

/* --- the caller's functions ---------------------------------------------- */

static int
compare_and_end(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    pthread_testcancel();
    return (number(a) > number(b)) - (number(a) < number(b));
}

static int64_t
key_and_end(const void *i, void *ctx)
{
    (void)ctx;
    pthread_testcancel();
    return (int64_t)number(i);
}

static void
drop_and_end(void *i, void *ctx)
{
    (void)ctx;
    pthread_testcancel();
    drop_noted(i, drops);
}

static _Atomic bool all_done;

static void *
put_get_and_close(void *arg)
{
    weft_queue *q = arg;

    pthread_cancel(pthread_self());
    for (size_t i = 5; i > 0; i--)
        put_number(q, i);
    get_number(q);
    must(weft_queue_close(q, WEFT_DISCARD) == WEFT_OK);
    must(drop_count == 4);
    all_done = true;
    pthread_testcancel();
    ck_abort_msg("it was cancelled before");
    return NULL;
}

START_TEST(test_the_functions_of_the_options_are_not_cancelled)
{
    weft_queue_options o = options_of(_i, 5);
    pthread_t thread;

    if (o.compare != NULL)
        o.compare = compare_and_end;
    if (o.key != NULL)
        o.key = key_and_end;
    o.drop = drop_and_end;
    weft_queue *q = open_options(&o);
    if (q == NULL)
        return;
    must(pthread_create(&thread, NULL, put_get_and_close, q) == 0);
    must(pthread_join(thread, NULL) == 0);
    must(all_done);
    weft_queue_destroy(q);
}
END_TEST

/* --- fork ---------------------------------------------------------------- */

static int
use_in_child(weft_queue *q)
{
    struct call get;

    if (get_number(q) != 1)
        return 2;
    put_number(q, 2);
    if (get_number(q) != 2)
        return 3;
    start_get(&get, q, WEFT_FOREVER);
    until_waiting(q, 1);
    put_number(q, 3);
    if (end_of(&get) != WEFT_OK || number(get.item) != 3)
        return 4;
    if (weft_queue_close(q, WEFT_DISCARD) != WEFT_OK)
        return 5;
    weft_queue_destroy(q);
    return 0;
}

START_TEST(test_a_forked_child_can_use_and_destroy_it)
{
    struct victim v;
    int status = 0;
    weft_queue *q = open_queue(_i, 1);

    if (q == NULL)
        return;
    /* Another thread has used it, and slept in it. */
    start(&v, get_item, q, NULL);
    until_waiting(q, 1);
    put_number(q, 9);
    must(pthread_join(v.thread, NULL) == 0);
    put_number(q, 1);
    const pid_t child = fork();
    if (child == 0)
        _exit(use_in_child(q));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(get_number(q), 1);
    weft_queue_destroy(q);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_cancelled_get_is_as_if_it_had_not_been, FORMS},
        {&test_a_cancelled_put_is_as_if_it_had_not_been, FORMS},
        {&test_a_cancelled_join_is_as_if_it_had_not_been, FORMS},
        {&test_a_cancelled_wait_for_any_is_as_if_it_had_not_been, FORMS},
        {&test_cancelling_a_get_loses_no_item, FORMS},
        {&test_cancelling_a_put_loses_no_room, FORMS},
        {&test_the_functions_of_the_options_are_not_cancelled, FORMS},
        {&test_a_forked_child_can_use_and_destroy_it, FORMS},
    };

    return run_tests("blocking queue cancel", tests,
                     sizeof(tests) / sizeof(tests[0]), 20);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_apart.c - what keeps two orders apart: threads that go on
 * behind each other, in all the ways there are.
 */
#include "deadlocks.h"

START_TEST(test_a_join_keeps_them_apart)
{
    enable();
    for (int i = 0; i < 3; i++) {
        join(start(a_then_b, NULL));
        join(start(b_then_a, NULL));
    }
    check(0);
}
END_TEST

START_TEST(test_a_start_keeps_them_apart)
{
    enable();
    a_then_b(NULL);
    weft_thread *t = start(b_then_a, NULL);
    join(t);
    check(0);
    a_then_b(NULL);
    check(0);
}
END_TEST

/* Ways to go on behind another thread. */
enum way {
    EVENT,
    EVENT_WAITED,
    SEMAPHORE,
    SEMAPHORE_WAITED,
    BARRIER,
    CONDITION,
    QUEUE,
    ROOM,
    FUTURE,
    POOL,
    TIMER,
    ONCE,
    WAYS
};

static weft_event event;
static weft_semaphore semaphore;
static weft_barrier barrier;
static weft_cond cond;
static weft_mutex cond_lock;
static bool is_ready;
static weft_queue *queue;
static weft_queue *full;
static weft_future *future;
static weft_pool *pool;
static weft_once once;
static enum way way;

static enum weft_status
once_a_then_b(void *unused)
{
    a_then_b(unused);
    return WEFT_OK;
}

static void
timed_a_then_b(void *unused)
{
    (void)unused;
    weft_event_set(&event);
}

/* Before the other may begin. */
static void *
before(void *unused)
{
    weft_timer *timer;
    void *item;

    if (way != ONCE)
        a_then_b(NULL);
    switch (way) {
    case EVENT:
    case EVENT_WAITED:
        weft_event_set(&event);
        break;
    case SEMAPHORE:
    case SEMAPHORE_WAITED:
        ck_assert_int_eq(weft_semaphore_release(&semaphore, 1), WEFT_OK);
        break;
    case BARRIER:
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                         WEFT_OK);
        break;
    case CONDITION:
        weft_mutex_lock(&cond_lock);
        is_ready = true;
        ck_assert_int_eq(weft_cond_notify_all(&cond), WEFT_OK);
        weft_mutex_unlock(&cond_lock);
        break;
    case QUEUE:
        ck_assert_int_eq(weft_queue_put(queue, &event, WEFT_FOREVER), WEFT_OK);
        break;
    case ROOM:
        ck_assert_int_eq(weft_queue_get(full, &item, WEFT_FOREVER), WEFT_OK);
        break;
    case FUTURE:
        ck_assert_int_eq(weft_future_set_result(future, NULL), WEFT_OK);
        break;
    case POOL:
        ck_assert_int_eq(weft_pool_submit(pool, b_then_a, NULL, NULL), WEFT_OK);
        break;
    case TIMER:
        ck_assert_int_eq(
            weft_timer_start(&timer, WEFT_NOW, timed_a_then_b, NULL), WEFT_OK);
        break;
    case ONCE:
        ck_assert_int_eq(weft_once_run(&once, once_a_then_b, NULL), WEFT_OK);
        break;
    case WAYS:
        break;
    }
    return unused;
}

static bool
look_ready(void *unused)
{
    (void)unused;
    return is_ready;
}

static void *
behind(void *unused)
{
    void *item;

    switch (way) {
    case TIMER:
    case EVENT:
    case EVENT_WAITED:
        ck_assert_int_eq(weft_event_wait(&event, WEFT_FOREVER), WEFT_OK);
        break;
    case SEMAPHORE:
    case SEMAPHORE_WAITED:
        ck_assert_int_eq(weft_semaphore_acquire(&semaphore, WEFT_FOREVER),
                         WEFT_OK);
        break;
    case BARRIER:
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                         WEFT_OK);
        break;
    case CONDITION:
        weft_mutex_lock(&cond_lock);
        ck_assert_int_eq(
            weft_cond_wait_for(&cond, look_ready, NULL, WEFT_FOREVER), WEFT_OK);
        weft_mutex_unlock(&cond_lock);
        break;
    case QUEUE:
        ck_assert_int_eq(weft_queue_get(queue, &item, WEFT_FOREVER), WEFT_OK);
        break;
    case ROOM:
        ck_assert_int_eq(weft_queue_put(full, &event, WEFT_FOREVER), WEFT_OK);
        break;
    case FUTURE:
        ck_assert_int_eq(weft_future_wait(future, WEFT_FOREVER), WEFT_OK);
        break;
    case ONCE:
        ck_assert_int_eq(weft_once_run(&once, once_a_then_b, NULL), WEFT_OK);
        break;
    case POOL:
    case WAYS:
        return unused;
    }
    b_then_a(NULL);
    return unused;
}

static void
prepare(void)
{
    const weft_queue_options one = {.capacity = 1};

    ck_assert_int_eq(weft_semaphore_init(&semaphore, 0, 10), WEFT_OK);
    ck_assert_int_eq(weft_barrier_init(&barrier, 2, NULL, NULL), WEFT_OK);
    weft_cond_init(&cond, &cond_lock);
    ck_assert_int_eq(weft_queue_create(&queue, NULL), WEFT_OK);
    ck_assert_int_eq(weft_queue_create(&full, &one), WEFT_OK);
    ck_assert_int_eq(weft_queue_put(full, &event, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_future_create(&future), WEFT_OK);
    ck_assert_int_eq(weft_pool_create(&pool, NULL), WEFT_OK);
}

/* The second of two variants: who is behind waits for it. */
START_TEST(test_what_comes_first_keeps_them_apart)
{
    enable();
    way = (enum way)(_i / 2);
    prepare();
    if (_i % 2 == 0 && way != BARRIER) {
        run_two(before, behind);
    } else if (way != ONCE) {
        weft_thread *second = start(behind, NULL);
        weft_thread *first = start(before, NULL);
        join(first);
        join(second);
    }
    weft_pool_destroy(pool);
    check(0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_join_keeps_them_apart, 1},
        {&test_a_start_keeps_them_apart, 1},
        {&test_what_comes_first_keeps_them_apart, 2 * WAYS},
    };

    return run_tests("deadlock_order_apart", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

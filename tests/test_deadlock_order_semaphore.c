/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_semaphore.c - predictions for semaphores that serve as
 * locks, and for those that do not.
 */
#include <weft/deadlock.h>

#include "deadlocks.h"

static weft_semaphore first = WEFT_SEMAPHORE_INIT(1, 1);
static weft_semaphore second = WEFT_SEMAPHORE_INIT(1, 1);

/* How they begin: without a call, or with one. */
static void
begin(int how)
{
    enable();
    if (how == 0)
        return;
    const uint32_t max = how == 1 ? 1 : WEFT_NO_MAX;
    ck_assert_int_eq(weft_semaphore_init(&first, 1, max), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_init(&second, 1, max), WEFT_OK);
}

static void
take(weft_semaphore *s)
{
    ck_assert_int_eq(weft_semaphore_acquire(s, WEFT_FOREVER), WEFT_OK);
}

static void
give(weft_semaphore *s)
{
    ck_assert_int_eq(weft_semaphore_release(s, 1), WEFT_OK);
}

static void *
first_then_second(void *unused)
{
    take(&first);
    take(&second);
    give(&second);
    give(&first);
    return unused;
}

static void *
second_then_first(void *unused)
{
    take(&second);
    take(&first);
    give(&first);
    give(&second);
    return unused;
}

static void *
first_then_a(void *unused)
{
    take(&first);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    give(&first);
    return unused;
}

static void *
a_then_first(void *unused)
{
    weft_mutex_lock(&a);
    take(&first);
    give(&first);
    weft_mutex_unlock(&a);
    return unused;
}

/* --- locks ---------------------------------------------------------------- */

START_TEST(test_two_that_begin_at_1_could_be_a_deadlock)
{
    begin(_i);
    weft_deadlock_name(&first, "first");
    run_two(first_then_second, second_then_first);
    check(1);
    ck_assert(has_said("semaphore \"first\""));
}
END_TEST

START_TEST(test_one_and_a_mutex_could_be_a_deadlock)
{
    begin(_i);
    run_two(first_then_a, a_then_first);
    check(1);
}
END_TEST

START_TEST(test_one_order_could_not)
{
    begin(_i);
    run_two(first_then_a, first_then_a);
    check(0);
}
END_TEST

static void *
second_first_a(void *unused)
{
    take(&second);
    first_then_a(NULL);
    give(&second);
    return unused;
}

static void *
second_a_first(void *unused)
{
    take(&second);
    a_then_first(NULL);
    give(&second);
    return unused;
}

START_TEST(test_one_that_all_hold_is_a_gate)
{
    begin(_i);
    run_two(second_first_a, second_a_first);
    check(0);
}
END_TEST

static void *
a_then_try_first(void *unused)
{
    weft_mutex_lock(&a);
    ck_assert_int_eq(weft_semaphore_acquire(&first, WEFT_NOW), WEFT_OK);
    give(&first);
    ck_assert_int_eq(weft_semaphore_acquire(&first, weft_in_s(100)), WEFT_OK);
    give(&first);
    weft_mutex_unlock(&a);
    return unused;
}

START_TEST(test_a_try_and_a_deadline_do_not_wait)
{
    begin(_i);
    run_two(first_then_a, a_then_try_first);
    check(0);
}
END_TEST

/* --- what is none --------------------------------------------------------- */

static void *
keep_first_and_a(void *unused)
{
    take(&first);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    return unused;
}

static void *
give_first_of_another(void *unused)
{
    give(&first);
    return a_then_first(unused);
}

START_TEST(test_one_that_another_gives_back_is_no_lock)
{
    begin(_i);
    run_two(keep_first_and_a, give_first_of_another);
    check(0);
    run_two(first_then_a, a_then_first); /* nor will it be one */
    check(0);
}
END_TEST

static void *
give_first(void *unused)
{
    give(&first);
    return unused;
}

static void *
lose_first_then_a(void *unused)
{
    take(&first);
    join(start(give_first, NULL));
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    return unused;
}

START_TEST(test_what_was_noted_of_one_that_is_no_lock_is_void)
{
    begin(_i);
    run_two(a_then_first, lose_first_then_a);
    check(0);
}
END_TEST

START_TEST(test_one_of_two_units_is_no_lock)
{
    enable();
    ck_assert_int_eq(weft_semaphore_init(&first, 2, 2), WEFT_OK);
    run_two(first_then_a, a_then_first);
    check(0);
}
END_TEST

/* Posted before anybody takes it, or taken when it is at 0. */
START_TEST(test_one_that_began_at_0_is_no_lock)
{
    static const weft_semaphore at_0 = WEFT_SEMAPHORE_INIT(0, 1);

    enable();
    if (_i == 0)
        ck_assert_int_eq(weft_semaphore_init(&first, 0, 1), WEFT_OK);
    else
        first = at_0;
    if (_i == 2)
        ck_assert_int_eq(weft_semaphore_acquire(&first, WEFT_NOW),
                         WEFT_TIMEOUT);
    give(&first);
    run_two(first_then_a, a_then_first);
    check(0);
}
END_TEST

START_TEST(test_one_that_is_made_anew_is_another)
{
    enable();
    ck_assert_int_eq(weft_semaphore_init(&first, 0, 1), WEFT_OK);
    give(&first);
    take(&first);
    ck_assert_int_eq(weft_semaphore_init(&first, 1, 1), WEFT_OK);
    run_two(first_then_a, a_then_first);
    check(1);
}
END_TEST

static weft_pool *pool;
static weft_event go;
static weft_event taken;
static atomic_bool waits;

static void *
wait_for_go(void *unused)
{
    weft_event_set(&taken);
    (void)!weft_event_wait(&go, WEFT_FOREVER);
    return unused;
}

static void *
do_nothing(void *unused)
{
    return unused;
}

static void *
submit_with_a(void *unused)
{
    weft_mutex_lock(&a);
    atomic_store(&waits, true);
    ck_assert_int_eq(weft_pool_submit(pool, do_nothing, NULL, NULL), WEFT_OK);
    weft_mutex_unlock(&a);
    return unused;
}

START_TEST(test_the_room_of_a_pool_is_no_lock)
{
    const weft_pool_options one = {.workers = 1, .max_pending = 1};

    enable();
    ck_assert_int_eq(weft_pool_create(&pool, &one), WEFT_OK);
    ck_assert_int_eq(weft_pool_submit(pool, wait_for_go, NULL, NULL), WEFT_OK);
    ck_assert_int_eq(weft_event_wait(&taken, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(weft_pool_submit(pool, do_nothing, NULL, NULL), WEFT_OK);
    weft_mutex_lock(&a); /* and the room is this thread's */
    weft_mutex_unlock(&a);
    weft_thread *t = start(submit_with_a, NULL);
    while (!atomic_load(&waits))
        sched_yield();
    weft_event_set(&go);
    join(t);
    weft_pool_destroy(pool);
    check(0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_two_that_begin_at_1_could_be_a_deadlock, 3},
        {&test_one_and_a_mutex_could_be_a_deadlock, 3},
        {&test_one_order_could_not, 3},
        {&test_one_that_all_hold_is_a_gate, 3},
        {&test_a_try_and_a_deadline_do_not_wait, 3},
        {&test_one_that_another_gives_back_is_no_lock, 3},
        {&test_what_was_noted_of_one_that_is_no_lock_is_void, 3},
        {&test_one_of_two_units_is_no_lock, 1},
        {&test_one_that_began_at_0_is_no_lock, 3},
        {&test_one_that_is_made_anew_is_another, 1},
        {&test_the_room_of_a_pool_is_no_lock, 1},
    };

    return run_tests("deadlock_order_semaphore", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

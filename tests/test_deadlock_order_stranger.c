/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_stranger.c - predictions for threads of pthreads, and for
 * the functions of timers.
 */
#include <weft/deadlock.h>

#include <pthread.h>

#include "deadlocks.h"

static weft_mutex own[4]; /* what nobody else takes */
static atomic_int step;   /* of the test; nothing that Weft knows of */
static weft_fn *bodies[2];

static void
until(int n)
{
    while (atomic_load(&step) < n)
        sched_yield();
}

static void
next(void)
{
    atomic_fetch_add(&step, 1);
}

static pthread_t
start_stranger(weft_fn *fn, void *arg)
{
    pthread_t t;

    ck_assert_int_eq(pthread_create(&t, NULL, fn, arg), 0);
    return t;
}

static void
join_stranger(pthread_t t)
{
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}

static void
say_first_word(size_t i)
{
    weft_mutex_lock(&own[i]);
    weft_mutex_unlock(&own[i]);
}

/* The first and then the second, both being there all the time. */
static void *
meet(void *which)
{
    const int i = (int)(uintptr_t)which;

    until(i);
    say_first_word((size_t)i);
    next();
    until(2 + i);
    bodies[i](NULL);
    next();
    until(4);
    return NULL;
}

static void
run_strangers(weft_fn *first, weft_fn *second)
{
    pthread_t t[2];

    atomic_store(&step, 0);
    bodies[0] = first;
    bodies[1] = second;
    for (uintptr_t i = 0; i < 2; i++)
        t[i] = start_stranger(meet, (void *)i);
    for (int i = 0; i < 2; i++)
        join_stranger(t[i]);
}

/* --- two of them ---------------------------------------------------------- */

START_TEST(test_two_strangers_could_be_a_deadlock)
{
    enable();
    run_strangers(a_then_b, b_then_a);
    check(1);
    ck_assert(has_said("a_then_b"));
    ck_assert(has_said("b_then_a"));
}
END_TEST

START_TEST(test_two_strangers_in_one_order_could_not)
{
    enable();
    run_strangers(a_then_b, a_then_b);
    check(0);
}
END_TEST

/* What it did before the other came may have come first; but not the same done
 * again. */
static void *
a_then_b_again(void *unused)
{
    a_then_b(NULL);
    next();
    until(2);
    if (unused == NULL)
        a_then_b(NULL);
    next();
    until(4);
    return unused;
}

static void *
b_then_a_later(void *unused)
{
    until(1);
    say_first_word(0);
    next();
    until(3);
    b_then_a(NULL);
    next();
    return unused;
}

START_TEST(test_what_was_known_is_told_again_beside_a_stranger)
{
    enable();
    pthread_t t = start_stranger(a_then_b_again, _i == 0 ? NULL : &step);
    pthread_t other = start_stranger(b_then_a_later, NULL);
    join_stranger(t);
    join_stranger(other);
    check(_i == 0 ? 1 : 0);
}
END_TEST

START_TEST(test_a_gate_keeps_strangers_apart)
{
    enable();
    run_strangers(gate_a_then_b, gate_b_then_a);
    check(0);
    run_strangers(gate_a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- what comes before and after ------------------------------------------ */

START_TEST(test_a_stranger_is_behind_what_was_before_it_began)
{
    enable();
    if (_i == 0)
        a_then_b(NULL);
    else
        join(start(a_then_b, NULL));
    join_stranger(start_stranger(b_then_a, NULL));
    check(0);
}
END_TEST

static void *
do_and_start(void *unused)
{
    a_then_b(NULL);
    join_stranger(start_stranger(b_then_a, NULL));
    return unused;
}

START_TEST(test_a_stranger_is_behind_the_stranger_that_started_it)
{
    enable();
    join_stranger(start_stranger(do_and_start, NULL));
    check(0);
}
END_TEST

/* By main, by a thread that it starts, by one that was there all the time. */
START_TEST(test_what_follows_a_stranger_is_behind_it)
{
    enable();
    a_then_b(NULL); /* known by then */
    join_stranger(start_stranger(b_then_a, NULL));
    if (_i == 0)
        a_then_b(NULL);
    else if (_i == 1)
        join(start(a_then_b, NULL));
    else
        join_stranger(start_stranger(a_then_b, NULL));
    check(0);
}
END_TEST

static void *
wait_for_turn(void *unused)
{
    say_first_word(1);
    next();
    until(2);
    a_then_b(NULL);
    return unused;
}

START_TEST(test_who_joined_a_stranger_may_be_anyone)
{
    enable();
    weft_thread *t = start(wait_for_turn, NULL);
    until(1);
    join_stranger(start_stranger(b_then_a, NULL));
    next();
    join(t);
    check(0);
}
END_TEST

/* --- beside threads that are known ----------------------------------------- */

static void *
b_then_a_in_turn(void *unused)
{
    say_first_word(2);
    next();
    until(2);
    b_then_a(NULL);
    return unused;
}

START_TEST(test_main_and_a_stranger_could_be_a_deadlock)
{
    enable();
    if (_i == 1)
        a_then_b(NULL); /* again below */
    pthread_t t = start_stranger(b_then_a_in_turn, NULL);
    until(1);
    a_then_b(NULL);
    next();
    join_stranger(t);
    check(1);
}
END_TEST

START_TEST(test_who_knew_a_stranger_is_behind_its_end_all_the_same)
{
    enable();
    pthread_t t = start_stranger(b_then_a_in_turn, NULL);
    until(1);
    say_first_word(0);
    next();
    join_stranger(t);
    a_then_b(NULL);
    check(0);
}
END_TEST

static weft_event event;

static void *
wait_with_a(void *unused)
{
    say_first_word(3);
    next();
    until(2);
    weft_mutex_lock(&a);
    next();
    (void)!weft_event_wait(&event, WEFT_FOREVER);
    weft_mutex_unlock(&a);
    return unused;
}

START_TEST(test_a_wait_of_a_stranger_that_holds_what_the_other_needed)
{
    enable();
    weft_event_init(&event);
    pthread_t t = start_stranger(wait_with_a, NULL);
    until(1);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    next();
    until(3);
    weft_event_set(&event);
    join_stranger(t);
    check(1);
}
END_TEST

/* --- timers --------------------------------------------------------------- */

static void
nothing(void *unused)
{
    (void)unused;
}

static void
b_then_a_at_its_time(void *arg)
{
    if (arg != NULL) {
        next();
        until(2);
    }
    b_then_a(NULL);
}

static weft_timer *
start_timer(void (*fn)(void *), void *arg)
{
    weft_timer *t;

    ck_assert_int_eq(weft_timer_start(&t, WEFT_NOW, fn, arg), WEFT_OK);
    return t;
}

static void
join_timer(weft_timer *t)
{
    ck_assert_int_eq(weft_timer_join(t, WEFT_FOREVER), WEFT_OK);
    weft_timer_release(t);
}

START_TEST(test_a_timer_and_a_thread_could_be_a_deadlock)
{
    enable();
    join_timer(start_timer(nothing, NULL));
    weft_timer *t = start_timer(b_then_a_at_its_time, &step);
    until(1);
    a_then_b(NULL);
    next();
    join_timer(t);
    check(1);
}
END_TEST

START_TEST(test_a_timer_is_behind_its_start_and_before_its_join)
{
    enable();
    join_timer(start_timer(nothing, NULL));
    if (_i == 0)
        a_then_b(NULL);
    join_timer(start_timer(b_then_a_at_its_time, NULL));
    if (_i == 1)
        a_then_b(NULL);
    check(0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_two_strangers_could_be_a_deadlock, 1},
        {&test_two_strangers_in_one_order_could_not, 1},
        {&test_what_was_known_is_told_again_beside_a_stranger, 2},
        {&test_a_gate_keeps_strangers_apart, 1},
        {&test_a_stranger_is_behind_what_was_before_it_began, 2},
        {&test_a_stranger_is_behind_the_stranger_that_started_it, 1},
        {&test_what_follows_a_stranger_is_behind_it, 3},
        {&test_who_joined_a_stranger_may_be_anyone, 1},
        {&test_main_and_a_stranger_could_be_a_deadlock, 2},
        {&test_who_knew_a_stranger_is_behind_its_end_all_the_same, 1},
        {&test_a_wait_of_a_stranger_that_holds_what_the_other_needed, 1},
        {&test_a_timer_and_a_thread_could_be_a_deadlock, 1},
        {&test_a_timer_is_behind_its_start_and_before_its_join, 2},
    };

    return run_tests("deadlock_order_stranger", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
#include <weft/deadlock.h>

#include <sys/wait.h>
#include <unistd.h>

#include "deadlocks.h"

/* Nobody in here ever waits for another: each thread runs alone. */

static weft_rmutex recursive;
static weft_rwlock shared;

/* --- who takes what ------------------------------------------------------- */

START_TEST(test_two_orders_could_be_a_deadlock)
{
    enable();
    weft_deadlock_name(&a, "first");
    weft_deadlock_name(&b, "second");
    run_two(a_then_b, b_then_a);
    check(1);
    ck_assert(has_said("weft: deadlock that could happen: 2 threads"));
    ck_assert(has_said("\"first\""));
    ck_assert(has_said("\"second\""));
    ck_assert(has_said("a_then_b"));
    ck_assert(has_said("b_then_a"));
}
END_TEST

START_TEST(test_it_is_said_once_for_the_same_places)
{
    enable();
    for (int i = 0; i < 3; i++)
        run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

START_TEST(test_one_order_is_none)
{
    enable();
    run_two(a_then_b, a_then_b);
    check(0);
}
END_TEST

START_TEST(test_one_thread_is_none)
{
    enable();
    a_then_b(NULL);
    b_then_a(NULL);
    check(0);
}
END_TEST

START_TEST(test_a_gate_is_none)
{
    enable();
    run_two(gate_a_then_b, gate_b_then_a);
    check(0);
    run_two(gate_a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- kinds ---------------------------------------------------------------- */

static void *
recursive_then_shared(void *unused)
{
    weft_rmutex_lock(&recursive);
    weft_rmutex_lock(&recursive); /* again */
    weft_rwlock_read_lock(&shared);
    weft_rwlock_read_unlock(&shared);
    weft_rmutex_unlock(&recursive);
    weft_rmutex_unlock(&recursive);
    return unused;
}

static void *
write_then_recursive(void *unused)
{
    weft_rwlock_write_lock(&shared);
    weft_rmutex_lock(&recursive);
    weft_rmutex_unlock(&recursive);
    weft_rwlock_write_unlock(&shared);
    return unused;
}

static void *
read_then_recursive(void *unused)
{
    weft_rwlock_read_lock(&shared);
    weft_rmutex_lock(&recursive);
    weft_rmutex_unlock(&recursive);
    weft_rwlock_read_unlock(&shared);
    return unused;
}

START_TEST(test_a_reader_and_a_writer_exclude_each_other)
{
    enable();
    run_two(recursive_then_shared, write_then_recursive);
    check(1);
}
END_TEST

START_TEST(test_two_readers_do_not)
{
    enable();
    run_two(recursive_then_shared, read_then_recursive);
    check(0);
}
END_TEST

/* --- what does not wait --------------------------------------------------- */

static void *
b_then_try_a(void *unused)
{
    weft_mutex_lock(&b);
    ck_assert_int_eq(weft_mutex_trylock(&a), WEFT_OK);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

static void *
b_then_a_until(void *unused)
{
    weft_mutex_lock(&b);
    ck_assert_int_eq(weft_mutex_lock_until(&a, weft_in_s(100)), WEFT_OK);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

static void *
try_b_then_a(void *unused)
{
    ck_assert_int_eq(weft_mutex_trylock(&b), WEFT_OK);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

START_TEST(test_a_try_and_a_deadline_do_not_wait)
{
    enable();
    run_two(a_then_b, b_then_try_a);
    run_two(a_then_b, b_then_a_until);
    check(0);
    run_two(a_then_b, try_b_then_a); /* what it got others may wait for */
    check(1);
}
END_TEST

/* --- a lock in hand ------------------------------------------------------- */

static void *
a_for_a_moment(void *unused)
{
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    return unused;
}

/* One that has ended by then might not have yet. */
START_TEST(test_a_join_with_a_lock_that_the_other_needed)
{
    enable();
    weft_thread *t = start(a_for_a_moment, NULL);
    if (_i != 0)
        while (weft_thread_is_alive(t))
            sched_yield();
    if (_i == 0)
        join(t);
    weft_mutex_lock(&a);
    if (_i != 0)
        join(t);
    weft_mutex_unlock(&a);
    check(_i == 0 ? 0 : 1);
}
END_TEST

/* --- lives ---------------------------------------------------------------- */

START_TEST(test_a_lock_that_is_made_anew_is_another)
{
    enable();
    join(runners[0] = start(a_then_b, NULL));
    if (_i == 1)
        weft_mutex_init(&a);
    else if (_i == 2)
        weft_deadlock_name(&a, NULL);
    check(0);
    run_two(a_then_b, a_then_b);
    if (_i == 0) {
        run_two(b_then_a, b_then_a);
        check(0); /* all joined */
    }
}
END_TEST

static void *
make_anew_b_then_a(void *unused)
{
    if (unused == NULL)
        weft_mutex_init(&a);
    return b_then_a(unused);
}

START_TEST(test_orders_of_an_earlier_life_are_void)
{
    enable();
    run_two(a_then_b, make_anew_b_then_a);
    check(0);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- on and off ----------------------------------------------------------- */

static void *
switch_over_b_then_a(void *unused)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    return b_then_a(unused);
}

START_TEST(test_what_was_known_is_void_when_it_was_off)
{
    enable();
    run_two(a_then_b, switch_over_b_then_a);
    check(0);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

START_TEST(test_nobody_predicts_while_it_is_off)
{
    enable();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    run_two(a_then_b, b_then_a);
    check(0);
}
END_TEST

/* Held while it is off, and locked or unlocked meanwhile: the number for what a
 * thread holds is wrong then, and is counted again. */
START_TEST(test_what_is_held_is_counted_again)
{
    enable();
    weft_mutex_lock(&gate);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    a_then_b(NULL);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_mutex_unlock(&gate);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

/* One tells under the gate what the other then finds without a wait. */
static weft_cond changed = WEFT_COND_INIT(&gate);
static _Atomic int step;

static void
step_to(int n)
{
    while (step != n)
        sched_yield();
}

static void *
tell_under_gate(void *tells)
{
    step_to(1);
    a_then_b(NULL);
    weft_mutex_lock(&gate);
    if (tells != NULL)
        weft_cond_notify(&changed, 1);
    weft_mutex_unlock(&gate);
    step = 2;
    return NULL;
}

static void *
find_under_gate(void *unused)
{
    for (int i = 0; i < 3; i++) {
        weft_mutex_lock(&gate); /* known, in the end */
        weft_mutex_unlock(&gate);
        if (i == 1) {
            step = 1;
            step_to(2);
        }
    }
    return b_then_a(unused);
}

START_TEST(test_a_lock_becomes_a_guard_that_was_none)
{
    enable();
    weft_thread *t[2] = {start(tell_under_gate, _i == 0 ? &changed : NULL),
                         start(find_under_gate, NULL)};
    for (int i = 0; i < 2; i++)
        join(t[i]);
    check(_i == 0 ? 0 : 1);
}
END_TEST

/* Who has only tried so far knows that it is to tell. */
static void *
try_then_a_then_b(void *unused)
{
    ck_assert_int_eq(weft_mutex_trylock(&gate), WEFT_OK);
    weft_mutex_unlock(&gate);
    return a_then_b(unused);
}

START_TEST(test_a_try_is_the_first_that_a_thread_does)
{
    enable();
    run_two(try_then_a_then_b, b_then_a);
    check(1);
}
END_TEST

static int
run_in_child(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        const size_t at_first = weft_deadlock_predicted();
        run_two(a_then_b, b_then_a);
        _exit(weft_deadlock_predicted() > at_first ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(test_a_forked_child_predicts_too)
{
    enable();
    weft_mutex_lock(&gate); /* the graph has begun */
    weft_mutex_unlock(&gate);
    if (_i == 1)
        run_two(a_then_b, b_then_a);
    ck_assert_int_eq(run_in_child(), 0);
}
END_TEST

static void *
b_then_a_at_last(void *unused)
{
    step_to(1);
    return b_then_a(unused);
}

/* What the thread that forks has told before, the child's graph does not know.
 */
START_TEST(test_a_forked_child_tells_again)
{
    enable();
    for (int i = 0; i < 2; i++)
        a_then_b(NULL);
    const pid_t child = fork();
    int status = 0;
    if (child == 0) {
        weft_thread *t = start(b_then_a_at_last, NULL);
        try_then_a_then_b(NULL);
        step = 1;
        join(t);
        _exit(weft_deadlock_predicted() == 1 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_two_orders_could_be_a_deadlock, 1},
        {&test_it_is_said_once_for_the_same_places, 1},
        {&test_one_order_is_none, 1},
        {&test_one_thread_is_none, 1},
        {&test_a_gate_is_none, 1},
        {&test_a_reader_and_a_writer_exclude_each_other, 1},
        {&test_two_readers_do_not, 1},
        {&test_a_try_and_a_deadline_do_not_wait, 1},
        {&test_a_join_with_a_lock_that_the_other_needed, 2},
        {&test_a_lock_that_is_made_anew_is_another, 3},
        {&test_orders_of_an_earlier_life_are_void, 1},
        {&test_what_was_known_is_void_when_it_was_off, 1},
        {&test_nobody_predicts_while_it_is_off, 1},
        {&test_what_is_held_is_counted_again, 1},
        {&test_a_lock_becomes_a_guard_that_was_none, 2},
        {&test_a_try_is_the_first_that_a_thread_does, 1},
        {&test_a_forked_child_predicts_too, 2},
        {&test_a_forked_child_tells_again, 1},
    };

    return run_tests("deadlock_order_lib", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_twice.c - one deadlock that could happen and does is told once.
 */
#include <weft/deadlock.h>

#include <stdio.h>

#include "deadlocks.h"

static void
enable_fail(void)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
}

/* The calling thread closes the circle, and backs out, or the other one does. */
static void
meet(void)
{
    weft_mutex_lock(&a);
    weft_thread *t = start(lock_b_then_a, NULL);
    until_waiting(&a, 1);
    const enum weft_status mine = weft_mutex_lock(&b);
    if (mine == WEFT_OK)
        weft_mutex_unlock(&b);
    weft_mutex_unlock(&a);
    const void *other = join(t);
    ck_assert((mine == WEFT_DEADLOCK) != (other == as_pointer(WEFT_DEADLOCK)));
}

START_TEST(test_what_happens_is_not_told_as_what_could)
{
    enable_fail();
    meet();
    ck_assert(has_said("weft: deadlock: 2 threads wait for each other"));
    ck_assert(!has_said("could happen"));
    ck_assert_uint_eq(weft_deadlock_count(), 1);
    ck_assert_uint_eq(weft_deadlock_predicted(), 0);
}
END_TEST

START_TEST(test_what_has_happened_is_not_told_as_what_could_later)
{
    enable_fail();
    meet();
    run_two(a_then_b, b_then_a);
    ck_assert(!has_said("could happen"));
    ck_assert_uint_eq(weft_deadlock_predicted(), 0);
}
END_TEST

START_TEST(test_what_was_told_to_be_possible_says_so_when_it_happens)
{
    enable_fail();
    run_two(a_then_b, b_then_a);
    check(1);
    meet();
    ck_assert(has_said("weft: deadlock: 2 threads wait for each other"));
    ck_assert(has_said("That it could was said above."));
    ck_assert_uint_eq(weft_deadlock_predicted(), 1);
}
END_TEST

static atomic_bool done;

/* Makes one order, and lets b go when the other thread was told of the other. */
static void *
keep_b(void *unused)
{
    b_then_a(NULL);
    weft_mutex_lock(&b);
    atomic_store(&done, true);
    while (!has_said("could happen") || !has_said("To mend it"))
        sched_yield();
    weft_mutex_unlock(&b);
    return unused;
}

START_TEST(test_what_could_is_told_while_a_thread_waits_for_long)
{
    enable();
    weft_thread *t = start(keep_b, NULL);
    while (!atomic_load(&done))
        sched_yield();
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    weft_mutex_unlock(&b);
    weft_mutex_unlock(&a);
    join(t);
    check(1);
}
END_TEST

/* Has got both, and keeps them until it was said. */
static void *
b_then_a_until_told(void *unused)
{
    weft_mutex_lock(&b);
    weft_mutex_lock(&a);
    while (!has_said("could happen") || !has_said("To mend it"))
        sched_yield();
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

START_TEST(test_what_could_is_told_when_its_lock_is_got)
{
    enable();
    run_two(a_then_b, b_then_a_until_told);
    check(1);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_what_happens_is_not_told_as_what_could, 1},
        {&test_what_has_happened_is_not_told_as_what_could_later, 1},
        {&test_what_was_told_to_be_possible_says_so_when_it_happens, 1},
        {&test_what_could_is_told_when_its_lock_is_got, 1},
        {&test_what_could_is_told_while_a_thread_waits_for_long, 1},
    };

    if (in_emulator()) {
        puts("left out: qemu-user 7.2 cannot copy an object that may be gone, "
             "so no owner is known there");
        return 77;
    }
    return run_tests("deadlock_twice", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

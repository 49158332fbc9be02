/* SPDX-License-Identifier: MIT */
#include <weft/deadlock.h>

#include <stdio.h>

#include "deadlocks.h"

static weft_rmutex recursive;
static weft_rwlock shared;

/* --- kinds ---------------------------------------------------------------- */

START_TEST(test_a_join_of_one_who_wants_my_lock)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    listen_to_stderr();
    weft_mutex_lock(&a);
    weft_thread *t = start(lock_a, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_DEADLOCK);
    ck_assert(has_said("before it waits for the end of a thread"));
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
}
END_TEST

static void *
lock_recursive_then_a(void *unused)
{
    weft_rmutex_lock(&recursive);
    void *s = lock_a(unused);
    weft_rmutex_unlock(&recursive);
    return s;
}

START_TEST(test_a_recursive_mutex_has_an_owner)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_mutex_lock(&a);
    weft_thread *t = start(lock_recursive_then_a, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_rmutex_lock(&recursive), WEFT_DEADLOCK);
    ck_assert_uint_eq(weft_rmutex_depth(&recursive), 0);
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    ck_assert(has_said("rmutex"));
    ck_assert_int_eq(weft_rmutex_lock(&recursive), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_unlock(&recursive), WEFT_OK);
}
END_TEST

static void *
read_then_a(void *unused)
{
    weft_rwlock_read_lock(&shared);
    void *s = lock_a(unused);
    weft_rwlock_read_unlock(&shared);
    return s;
}

static void *
write_then_a(void *unused)
{
    weft_rwlock_write_lock(&shared);
    void *s = lock_a(unused);
    weft_rwlock_write_unlock(&shared);
    return s;
}

START_TEST(test_a_writer_needs_the_readers)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    for (int i = 0; i < _i; i++) { /* until readers are on their own lines */
        weft_rwlock_read_lock(&shared);
        weft_rwlock_read_unlock(&shared);
    }
    weft_mutex_lock(&a);
    weft_thread *t = start(read_then_a, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_rwlock_write_lock(&shared), WEFT_DEADLOCK);
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    ck_assert(has_said("rwlock (to write)"));
    ck_assert_int_eq(weft_rwlock_write_lock(&shared), WEFT_OK);
    weft_rwlock_write_unlock(&shared);
    ck_assert_int_eq(weft_rwlock_read_lock(&shared), WEFT_OK);
}
END_TEST

START_TEST(test_a_reader_needs_the_writer)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_mutex_lock(&a);
    weft_thread *t = start(write_then_a, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_rwlock_read_lock(&shared), WEFT_DEADLOCK);
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    ck_assert_int_eq(weft_rwlock_read_lock(&shared), WEFT_OK);
    weft_rwlock_read_unlock(&shared);
    ck_assert_int_eq(weft_rwlock_write_lock(&shared), WEFT_OK);
}
END_TEST

static weft_once once;

static enum weft_status
run_nothing(void *unused)
{
    (void)unused;
    return WEFT_OK;
}

static enum weft_status
run_lock_a(void *unused)
{
    return (enum weft_status)(uintptr_t)lock_a(unused);
}

static void *
run_once(void *unused)
{
    return as_pointer(weft_once_run(&once, run_lock_a, unused));
}

START_TEST(test_a_function_that_runs_once_has_a_runner)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_mutex_lock(&a);
    weft_thread *t = start(run_once, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_once_run(&once, run_nothing, NULL), WEFT_DEADLOCK);
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    ck_assert_int_eq(weft_once_run(&once, NULL, NULL),
                     WEFT_OK); /* it is done */
    ck_assert(has_said("once"));
}
END_TEST

static void *
lock_and_end(void *lock)
{
    (void)!weft_mutex_lock(lock);
    return NULL;
}

START_TEST(test_a_lock_whose_owner_has_ended)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_deadlock_name(&a, "left");
    join(start(lock_and_end, &a));
    ck_assert_int_eq(weft_mutex_lock(&a), WEFT_DEADLOCK);
    ck_assert(has_said("who holds the lock has ended"));
    ck_assert(has_said("has ended\n    holds mutex \"left\", taken in"));
}
END_TEST

START_TEST(test_who_locks_again_is_shown)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_mutex_lock(&a);
    for (volatile int i = 0; i < 2; i++) /* once for a place, not unrolled */
        ck_assert_int_eq(weft_mutex_lock(&a), WEFT_DEADLOCK);
    ck_assert_uint_eq(weft_deadlock_count(), 1);
    ck_assert(has_said("a thread waits for itself"));
    ck_assert_int_eq(weft_mutex_lock_until(&a, weft_in_ms(1)), WEFT_DEADLOCK);
}
END_TEST

START_TEST(test_a_reader_who_wants_to_write_is_shown)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_rwlock_read_lock(&shared);
    ck_assert_int_eq(weft_rwlock_write_lock(&shared), WEFT_DEADLOCK);
    ck_assert(has_said("a reader wants to write"));
}
END_TEST

/* --- who must not fail ---------------------------------------------------- */

static weft_cond cond;
static atomic_bool over;

/* Holds a and waits, for a while again and again, for the condition of b: so it
 * takes b back, where there is no way to fail. */
static void *
wait_with_a(void *unused)
{
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    while (!atomic_load(&over))
        (void)!weft_cond_wait(&cond, weft_in_ms(20));
    weft_mutex_unlock(&b);
    weft_mutex_unlock(&a);
    return unused;
}

START_TEST(test_who_takes_its_mutex_back_does_not_fail)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_cond_init(&cond, &b);
    weft_thread *t = start(wait_with_a, NULL);
    until_waiting(&cond, 1);
    weft_mutex_lock(&b);
    ck_assert_int_eq(weft_mutex_lock(&a), WEFT_DEADLOCK);
    atomic_store(&over, true);
    weft_mutex_unlock(&b);
    join(t);
}
END_TEST

/* --- several -------------------------------------------------------------- */

#define SEATS 5

static weft_mutex fork_of[SEATS];
static weft_barrier table;

/* Take the left one, wait until all have, take the right one; back out if that
 * is a deadlock. */
static void *
dine(void *arg)
{
    const size_t seat = (size_t)(uintptr_t)arg;
    enum weft_status s = WEFT_DEADLOCK;
    bool first = true;
    uintptr_t failed = 0;

    while (s != WEFT_OK) {
        ck_assert_int_eq(weft_mutex_lock(&fork_of[seat]), WEFT_OK);
        if (first)
            ck_assert_int_eq(weft_barrier_wait(&table, WEFT_FOREVER, NULL),
                             WEFT_OK);
        first = false;
        s = weft_mutex_lock(&fork_of[(seat + 1) % SEATS]);
        if (s == WEFT_OK)
            weft_mutex_unlock(&fork_of[(seat + 1) % SEATS]);
        else
            failed++;
        weft_mutex_unlock(&fork_of[seat]);
    }
    return (void *)failed;
}

START_TEST(test_one_philosopher_backs_out)
{
    weft_thread *t[SEATS];
    uintptr_t failed = 0;

    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    ck_assert_int_eq(weft_barrier_init(&table, SEATS, NULL, NULL), WEFT_OK);
    for (size_t i = 0; i < SEATS; i++)
        t[i] = start(dine, (void *)i);
    for (size_t i = 0; i < SEATS; i++)
        failed += (uintptr_t)join(t[i]);
    ck_assert_uint_ge(failed, 1);
    ck_assert_uint_eq(weft_deadlock_count(), failed);
    ck_assert(has_said("5 threads wait for each other"));
}
END_TEST

#define ROUNDS 300

/* Both locks; behind the gate, the other way round. */
static void *
lock_both(void *through_gate)
{
    weft_mutex *first = through_gate != NULL ? &b : &a;
    weft_mutex *second = first == &a ? &b : &a;

    for (int i = 0; i < ROUNDS; i++) {
        weft_mutex_lock(&gate);
        weft_mutex_lock(first);
        weft_mutex_lock(second);
        weft_mutex_unlock(second);
        weft_mutex_unlock(first);
        weft_mutex_unlock(&gate);
    }
    return NULL;
}

static void *
lock_in_order(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        weft_mutex_lock(&a);
        weft_mutex_lock(&b);
        sched_yield();
        weft_mutex_unlock(&b);
        weft_mutex_unlock(&a);
    }
    return unused;
}

START_TEST(test_locks_in_order_or_behind_a_gate_are_silent)
{
    weft_thread *t[3];

    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    for (int i = 0; i < 3; i++)
        t[i] = _i == 0 ? start(lock_in_order, NULL)
                       : start(lock_both, i % 2 == 0 ? NULL : t);
    for (int i = 0; i < 3; i++)
        join(t[i]);
    ck_assert_uint_eq(weft_deadlock_count(), 0);
    ck_assert(!has_said("weft"));
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_join_of_one_who_wants_my_lock, 1},
        {&test_a_recursive_mutex_has_an_owner, 1},
        {&test_a_writer_needs_the_readers, 11},
        {&test_a_reader_needs_the_writer, 1},
        {&test_a_function_that_runs_once_has_a_runner, 1},
        {&test_a_lock_whose_owner_has_ended, 1},
        {&test_who_locks_again_is_shown, 1},
        {&test_a_reader_who_wants_to_write_is_shown, 1},
        {&test_who_takes_its_mutex_back_does_not_fail, 1},
        {&test_one_philosopher_backs_out, 1},
        {&test_locks_in_order_or_behind_a_gate_are_silent, 2},
    };

    if (in_emulator()) {
        puts("left out: qemu-user 7.2 cannot copy an object that may be gone, "
             "so no owner is known there");
        return 77;
    }
    return run_tests("deadlock_kinds", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

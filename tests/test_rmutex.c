/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_rmutex; _i: 0 as always, 1 while somebody watches.
 */
#include <weft/rmutex.h>

#include <pthread.h>
#include <string.h>

#include "base/self.h"
#include "deadlock/watch.h"
#include "sync/mutex_impl.h"

#include "testing.h"

#define WAYS 2

static weft_rmutex m = WEFT_RMUTEX_INIT;

static void
set_up(int way)
{
    if (way == 1)
        weft_watch_enable_(true);
}

static void *
elsewhere(void *(*fn)(void *))
{
    pthread_t t;
    void *result;

    ck_assert_int_eq(pthread_create(&t, NULL, fn, NULL), 0);
    ck_assert_int_eq(pthread_join(t, &result), 0);
    return result;
}

static void *
status_of(enum weft_status s)
{
    return (void *)(uintptr_t)s;
}

static void *
try_here(void *arg)
{
    (void)arg;
    ck_assert_uint_eq(weft_rmutex_depth(&m), 0);
    const enum weft_status s = weft_rmutex_trylock(&m);
    ck_assert_int_eq(weft_rmutex_lock_until(&m, WEFT_NOW),
                     s == WEFT_OK ? WEFT_OK : WEFT_TIMEOUT);
    return status_of(s);
}

static void *
unlock_here(void *arg)
{
    (void)arg;
    return status_of(weft_rmutex_unlock(&m));
}

static void *
try_for_a_while(void *arg)
{
    (void)arg;
    const weft_deadline end = weft_in_ms(20);
    const enum weft_status s = weft_rmutex_lock_until(&m, end);
    ck_assert(s == WEFT_OK || end <= weft_in_ns(1));
    return status_of(s);
}

START_TEST(test_zero_bytes_are_a_free_one)
{
    weft_rmutex zero;
    weft_rmutex made;

    set_up(_i);
    memset(&zero, 0, sizeof(zero));
    memset(&made, 0xff, sizeof(made));
    weft_rmutex_init(&made);
    ck_assert_int_eq(memcmp(&zero, &made, sizeof(made)), 0);
    ck_assert_int_eq(weft_rmutex_lock(&zero), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_unlock(&zero), WEFT_OK);
}
END_TEST

/* R1 */
START_TEST(test_the_owner_locks_again_to_any_depth)
{
    set_up(_i);
    for (uint32_t i = 0; i < 999; i += 3) {
        ck_assert_uint_eq(weft_rmutex_depth(&m), i);
        ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
        ck_assert_int_eq(weft_rmutex_trylock(&m), WEFT_OK);
        ck_assert_int_eq(weft_rmutex_lock_until(&m, WEFT_NOW), WEFT_OK);
    }
    ck_assert_uint_eq(weft_rmutex_owner(&m), weft_self_id_());
    for (uint32_t i = 999; i > 0; i--) {
        ck_assert_uint_eq(weft_rmutex_depth(&m), i);
        ck_assert(weft_rmutex_is_locked(&m));
        ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    }
    ck_assert_uint_eq(weft_rmutex_owner(&m), 0);
    ck_assert(!weft_rmutex_is_locked(&m));
    ck_assert_uint_eq(weft_rmutex_depth(&m), 0);
}
END_TEST

/* R2 */
START_TEST(test_unlock_by_a_non_owner_or_when_free_is_not_owner)
{
    set_up(_i);
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(unlock_here), status_of(WEFT_NOT_OWNER));
    ck_assert_uint_eq(weft_rmutex_depth(&m), 2);
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_NOT_OWNER);
}
END_TEST

/* R3 */
START_TEST(test_locked_twice_and_unlocked_once_others_cannot_take_it)
{
    set_up(_i);
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(try_here), status_of(WEFT_BUSY));
    ck_assert_ptr_eq(elsewhere(try_for_a_while), status_of(WEFT_TIMEOUT));
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(try_here), status_of(WEFT_OK));
}
END_TEST

START_TEST(test_a_depth_that_does_not_fit_is_overflow)
{
    set_up(_i);
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    m.again = UINT32_MAX - 2;
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_uint_eq(weft_rmutex_depth(&m), UINT32_MAX);
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OVERFLOW);
    ck_assert_int_eq(weft_rmutex_trylock(&m), WEFT_OVERFLOW);
    ck_assert_int_eq(weft_rmutex_lock_until(&m, WEFT_NOW), WEFT_OVERFLOW);
    ck_assert_uint_eq(weft_rmutex_depth(&m), UINT32_MAX);
}
END_TEST

START_TEST(test_it_is_noted_once_while_watched)
{
    struct weft_self *s = weft_self_get_();

    weft_watch_enable_(true);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_ptr_eq(s->held[0].object, &m);
    ck_assert_int_eq(s->held[0].kind, WEFT_KIND_RMUTEX);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(s->held_count, 1);
        ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    }
    ck_assert_uint_eq(s->held_count, 0);
}
END_TEST

START_TEST(test_what_is_dropped_as_a_whole_is_retaken_as_deep)
{
    uint32_t again = 42;

    set_up(_i);
    ck_assert_int_eq(weft_rmutex_drop_(&m, &again), WEFT_NOT_OWNER);
    ck_assert_uint_eq(again, 42);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_rmutex_drop_(&m, &again), WEFT_OK);
    ck_assert(!weft_rmutex_is_locked(&m));
    ck_assert_int_eq(weft_rmutex_lock(&m), WEFT_OK);
    ck_assert_uint_eq(weft_rmutex_depth(&m), 1);
    ck_assert_int_eq(weft_rmutex_unlock(&m), WEFT_OK);
    weft_rmutex_retake_(&m, again);
    ck_assert_uint_eq(weft_rmutex_depth(&m), 5);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_zero_bytes_are_a_free_one, WAYS},
        {&test_the_owner_locks_again_to_any_depth, WAYS},
        {&test_unlock_by_a_non_owner_or_when_free_is_not_owner, WAYS},
        {&test_locked_twice_and_unlocked_once_others_cannot_take_it, WAYS},
        {&test_a_depth_that_does_not_fit_is_overflow, WAYS},
        {&test_it_is_noted_once_while_watched, 1},
        {&test_what_is_dropped_as_a_whole_is_retaken_as_deep, WAYS},
    };

    return run_tests("rmutex", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

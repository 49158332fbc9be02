/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_mutex, call by call; _i: 0 as always, 1 while somebody
 * watches, so that nothing takes the inline way.
 */
#include <weft/mutex.h>

#include <pthread.h>
#include <string.h>

#include "base/self.h"
#include "deadlock/watch.h"
#include "sync/mutex_impl.h"

#include "testing.h"

#define WAYS 2

static weft_mutex m = WEFT_MUTEX_INIT;

static void
set_up(int way)
{
    if (way == 1)
        weft_watch_enable_(true);
}

/* Run `fn` in a thread and return what it returns. */
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
    return status_of(weft_mutex_trylock(&m));
}

static void *
try_until_now(void *arg)
{
    (void)arg;
    return status_of(weft_mutex_lock_until(&m, WEFT_NOW));
}

static void *
try_for_a_while(void *arg)
{
    (void)arg;
    const weft_deadline end = weft_in_ms(20);
    const enum weft_status s = weft_mutex_lock_until(&m, end);
    ck_assert(s == WEFT_OK || end <= weft_in_ns(1));
    return status_of(s);
}

static void *
unlock_here(void *arg)
{
    (void)arg;
    return status_of(weft_mutex_unlock(&m));
}

static void *
lock_here(void *arg)
{
    (void)arg;
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    return status_of(WEFT_OK);
}

static void *
own_id(void *arg)
{
    (void)arg;
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    return (void *)(uintptr_t)weft_self_id_();
}

START_TEST(test_zero_bytes_are_a_free_mutex_of_at_most_8)
{
    weft_mutex zero;
    weft_mutex made;

    set_up(_i);
    memset(&zero, 0, sizeof(zero));
    memset(&made, 0xff, sizeof(made));
    weft_mutex_init(&made);
    ck_assert_uint_le(sizeof(weft_mutex), 8);
    ck_assert(!weft_mutex_is_locked(&zero));
    ck_assert_int_eq(weft_mutex_lock(&zero), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&zero), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock(&made), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&made), WEFT_OK);
}
END_TEST

START_TEST(test_is_locked_and_owner_tell_who_holds_it)
{
    set_up(_i);
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_mutex_owner(&m), 0);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert(weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_mutex_owner(&m), weft_self_id_());
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_mutex_owner(&m), 0);
}
END_TEST

/* L1 */
START_TEST(test_a_try_of_a_held_mutex_is_busy_or_timeout)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_trylock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(try_here), status_of(WEFT_BUSY));
    ck_assert_ptr_eq(elsewhere(try_until_now), status_of(WEFT_TIMEOUT));
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock_until(&m, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

START_TEST(test_a_free_mutex_is_taken_however_late_it_is)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock_until(&m, 1), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock_until(&m, -1), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

START_TEST(test_a_wait_never_times_out_early)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(try_for_a_while), status_of(WEFT_TIMEOUT));
    ck_assert_uint_eq(weft_mutex_owner(&m), weft_self_id_());
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(try_for_a_while), status_of(WEFT_OK));
}
END_TEST

/* L2 */
START_TEST(test_unlocking_what_nobody_holds_is_not_owner)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_NOT_OWNER);
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_int_eq(weft_mutex_trylock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_NOT_OWNER);
}
END_TEST

/* L3 */
START_TEST(test_unlocking_anothers_is_not_owner)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_ptr_eq(elsewhere(unlock_here), status_of(WEFT_NOT_OWNER));
    ck_assert_uint_eq(weft_mutex_owner(&m), weft_self_id_());
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

/* L4 */
START_TEST(test_waiting_for_ones_own_is_a_deadlock)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_DEADLOCK);
    ck_assert_int_eq(weft_mutex_lock_until(&m, WEFT_FOREVER), WEFT_DEADLOCK);
    ck_assert_int_eq(weft_mutex_lock_until(&m, weft_in_s(3600)), WEFT_DEADLOCK);
    ck_assert_uint_eq(weft_mutex_owner(&m), weft_self_id_());
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_NOT_OWNER);
}
END_TEST

START_TEST(test_a_try_of_ones_own_is_busy_or_timeout)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_trylock(&m), WEFT_BUSY);
    ck_assert_int_eq(weft_mutex_lock_until(&m, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_mutex_lock_until(&m, 1), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

START_TEST(test_what_an_ended_thread_held_stays_its)
{
    set_up(_i);
    const uint64_t id = (uintptr_t)elsewhere(own_id);

    ck_assert(weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_mutex_owner(&m), id);
    ck_assert_int_eq(weft_mutex_trylock(&m), WEFT_BUSY);
    ck_assert_int_eq(weft_mutex_lock_until(&m, weft_in_ms(5)), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_NOT_OWNER);
}
END_TEST

START_TEST(test_32_nested)
{
    weft_mutex many[32] = {WEFT_MUTEX_INIT};

    set_up(_i);
    for (int i = 0; i < 32; i++)
        ck_assert_int_eq(weft_mutex_lock(&many[i]), WEFT_OK);
    for (int i = 0; i < 32; i++)
        ck_assert_int_eq(weft_mutex_trylock(&many[i]), WEFT_BUSY);
    for (int i = 0; i < 32; i++) /* not in the reverse order */
        ck_assert_int_eq(weft_mutex_unlock(&many[i * 5 % 32]), WEFT_OK);
    for (int i = 0; i < 32; i++)
        ck_assert(!weft_mutex_is_locked(&many[i]));
}
END_TEST

START_TEST(test_what_is_held_is_noted_while_watched)
{
    struct weft_self *s = weft_self_get_();
    weft_mutex other = WEFT_MUTEX_INIT;

    weft_watch_enable_(true);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_trylock(&other), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 2);
    ck_assert_ptr_eq(s->held[0].object, &m);
    ck_assert_ptr_eq(s->held[1].object, &other);
    ck_assert_int_eq(s->held[1].kind, WEFT_KIND_MUTEX);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_int_eq(weft_mutex_unlock(&other), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock_until(&m, 1), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 0);
    weft_watch_enable_(false);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 0);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

/* Debts. */
struct owed {
    struct weft_debt debt;
    weft_mutex *mutex;
    unsigned paid_as; /* which one it was, from 1; 0: not yet */
};

static unsigned paid;

static void
pay(struct weft_debt *d)
{
    struct owed *o = (struct owed *)(void *)d;

    ck_assert(!weft_mutex_is_locked(o->mutex));
    ck_assert_uint_eq(o->paid_as, 0);
    o->paid_as = ++paid;
}

START_TEST(test_debts_are_paid_in_order_right_after_the_unlock)
{
    struct owed a[3] = {{.debt.pay = pay, .mutex = &m},
                        {.debt.pay = pay, .mutex = &m},
                        {.debt.pay = pay, .mutex = &m}};

    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    for (int i = 0; i < 3; i++)
        weft_mutex_owe_(&m, &a[i].debt);
    ck_assert_uint_eq(weft_mutex_owner(&m), weft_self_id_());
    ck_assert_uint_eq(paid, 0);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(a[i].paid_as, i + 1);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_uint_eq(paid, 3);
}
END_TEST

START_TEST(test_each_mutex_has_its_own_debts)
{
    weft_mutex inner = WEFT_MUTEX_INIT;
    struct owed a = {.debt.pay = pay, .mutex = &m};
    struct owed b = {.debt.pay = pay, .mutex = &inner};
    struct owed c = {.debt.pay = pay, .mutex = &m};

    set_up(_i);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    weft_mutex_owe_(&m, &a.debt);
    ck_assert_int_eq(weft_mutex_lock(&inner), WEFT_OK);
    weft_mutex_owe_(&inner, &b.debt);
    weft_mutex_owe_(&m, &c.debt);
    ck_assert_int_eq(weft_mutex_unlock(&inner), WEFT_OK);
    ck_assert_uint_eq(b.paid_as, 1);
    ck_assert_uint_eq(paid, 1);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_uint_eq(a.paid_as, 2);
    ck_assert_uint_eq(c.paid_as, 3);
}
END_TEST

START_TEST(test_what_is_given_is_taken_back)
{
    set_up(_i);
    ck_assert_int_eq(weft_mutex_give_(&m, WEFT_KIND_MUTEX), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_give_(&m, WEFT_KIND_MUTEX), WEFT_OK);
    ck_assert(!weft_mutex_is_locked(&m));
    weft_mutex_retake_(&m, WEFT_KIND_MUTEX);
    ck_assert(weft_mutex_is_mine_(&m));
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert(!weft_mutex_is_mine_(&m));
    ck_assert_ptr_eq(elsewhere(lock_here), status_of(WEFT_OK));
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_zero_bytes_are_a_free_mutex_of_at_most_8, WAYS},
        {&test_is_locked_and_owner_tell_who_holds_it, WAYS},
        {&test_a_try_of_a_held_mutex_is_busy_or_timeout, WAYS},
        {&test_a_free_mutex_is_taken_however_late_it_is, WAYS},
        {&test_a_wait_never_times_out_early, WAYS},
        {&test_unlocking_what_nobody_holds_is_not_owner, WAYS},
        {&test_unlocking_anothers_is_not_owner, WAYS},
        {&test_waiting_for_ones_own_is_a_deadlock, WAYS},
        {&test_a_try_of_ones_own_is_busy_or_timeout, WAYS},
        {&test_what_an_ended_thread_held_stays_its, WAYS},
        {&test_32_nested, WAYS},
        {&test_what_is_held_is_noted_while_watched, 1},
        {&test_debts_are_paid_in_order_right_after_the_unlock, WAYS},
        {&test_each_mutex_has_its_own_debts, WAYS},
        {&test_what_is_given_is_taken_back, WAYS},
    };

    return run_tests("mutex", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

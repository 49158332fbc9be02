/* SPDX-License-Identifier: MIT */
#include <weft/cond.h>

#include <pthread.h>
#include <sched.h>

#include "base/self.h"
#include "testing.h"

/* Every test is run with both locks: 0 a weft_mutex, 1 a weft_rmutex. */
#define LOCKS 2

static weft_mutex plain;
static weft_rmutex deep;
static weft_cond c;
static int lock_kind;
static unsigned told; /* belongs to who holds the lock */

static void
set_up(int kind)
{
    lock_kind = kind;
    if (kind == 0)
        weft_cond_init(&c, &plain);
    else
        weft_cond_init_r(&c, &deep);
}

static void
lock(void)
{
    ck_assert_int_eq(lock_kind == 0 ? weft_mutex_lock(&plain)
                                    : weft_rmutex_lock(&deep),
                     WEFT_OK);
}

static void
unlock(void)
{
    ck_assert_int_eq(lock_kind == 0 ? weft_mutex_unlock(&plain)
                                    : weft_rmutex_unlock(&deep),
                     WEFT_OK);
}

static bool
is_mine(void)
{
    return (lock_kind == 0 ? weft_mutex_owner(&plain)
                           : weft_rmutex_owner(&deep)) == weft_self_id_();
}

static unsigned calls;
static unsigned true_from; /* the predicate holds from this call on */

static bool
holds(void *ctx)
{
    ck_assert_ptr_eq(ctx, &calls);
    ck_assert(is_mine());
    return ++calls >= true_from;
}

START_TEST(test_wait_for_tests_before_the_first_wait) /* C4 */
{
    set_up(_i);
    lock();
    true_from = 1;
    ck_assert_int_eq(weft_cond_wait_for(&c, holds, &calls, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_cond_wait_for(&c, holds, &calls, WEFT_FOREVER),
                     WEFT_OK);
    ck_assert_uint_eq(calls, 2);
    unlock();
}
END_TEST

START_TEST(test_wait_for_tests_once_more_after_the_deadline) /* C4 */
{
    const weft_deadline when[] = {WEFT_NOW, 1, weft_in_ms(5)};

    set_up(_i);
    lock();
    for (size_t i = 0; i < 3; i++) {
        calls = 0;
        true_from = 3;
        ck_assert_int_eq(weft_cond_wait_for(&c, holds, &calls, when[i]),
                         WEFT_TIMEOUT);
        ck_assert_uint_eq(calls, 2);
        calls = 0;
        true_from = 2;
        ck_assert_int_eq(weft_cond_wait_for(&c, holds, &calls, when[i]),
                         WEFT_OK);
        ck_assert_uint_eq(calls, 2);
    }
    unlock();
}
END_TEST

static void *
wait_until_it_holds(void *arg)
{
    lock();
    ck_assert_int_eq(weft_cond_wait_for(&c, holds, &calls, WEFT_FOREVER),
                     WEFT_OK);
    told++;
    unlock();
    return arg;
}

START_TEST(test_wait_for_tests_each_time_it_is_told) /* C4 */
{
    pthread_t other;

    set_up(_i);
    true_from = 4;
    pthread_create(&other, NULL, wait_until_it_holds, NULL);
    for (unsigned seen = 0; seen < 4;) {
        sched_yield();
        lock();
        ck_assert_uint_eq(told, calls == 4);
        if (c.waiting != NULL) {
            ck_assert_uint_eq(calls, seen + 1);
            ck_assert_int_eq(weft_cond_notify(&c, 1), WEFT_OK);
            seen++;
        }
        unlock();
        if (seen == 3)
            break;
    }
    pthread_join(other, NULL);
    ck_assert_uint_eq(calls, 4);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_wait_for_tests_before_the_first_wait, LOCKS},
        {&test_wait_for_tests_once_more_after_the_deadline, LOCKS},
        {&test_wait_for_tests_each_time_it_is_told, LOCKS},
    };

    return run_tests("cond_wait_for", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

/* SPDX-License-Identifier: MIT */
#include <weft/guard.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

static weft_mutex m = WEFT_MUTEX_INIT;
static weft_rmutex r = WEFT_RMUTEX_INIT;

START_TEST(test_with_holds_and_releases_at_the_end)
{
    int runs = 0;

    WEFT_WITH(&m)
    {
        ck_assert(weft_mutex_is_locked(&m));
        runs++;
    }
    ck_assert(!weft_mutex_is_locked(&m));
    WEFT_WITH(&r)
    {
        ck_assert_uint_eq(weft_rmutex_depth(&r), 1);
        runs++;
    }
    ck_assert_uint_eq(weft_rmutex_depth(&r), 0);
    ck_assert_int_eq(runs, 2);
}
END_TEST

static int
leave_by_return(bool early)
{
    WEFT_WITH(&m)
    {
        WEFT_WITH(&r)
        {
            if (early)
                return 1;
        }
        ck_assert_uint_eq(weft_rmutex_depth(&r), 0);
        ck_assert(weft_mutex_is_locked(&m));
        return 2;
    }
    return 3;
}

START_TEST(test_return_releases)
{
    ck_assert_int_eq(leave_by_return(true), 1);
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_rmutex_depth(&r), 0);
    ck_assert_int_eq(leave_by_return(false), 2);
    ck_assert(!weft_mutex_is_locked(&m));
}
END_TEST

START_TEST(test_break_and_continue_leave_the_block_and_release)
{
    int rounds = 0;

    for (int i = 0; i < 4; i++) {
        WEFT_WITH(&m)
        {
            if (i % 2 == 0)
                break;
            continue;
        }
        ck_assert(!weft_mutex_is_locked(&m));
        rounds++;
    }
    ck_assert_int_eq(rounds, 4);
}
END_TEST

START_TEST(test_goto_releases)
{
    WEFT_WITH(&m)
    {
        WEFT_GUARD(&r);
        ck_assert_uint_eq(weft_rmutex_depth(&r), 1);
        goto out;
    }
    ck_abort();
out:
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_rmutex_depth(&r), 0);
}
END_TEST

START_TEST(test_a_guard_holds_until_its_block_ends)
{
    for (int i = 0; i < 3; i++) {
        WEFT_GUARD(&m);
        ck_assert(weft_mutex_is_locked(&m));
        if (i == 0)
            continue;
        WEFT_GUARD(&r);
        WEFT_GUARD(&r);
        ck_assert_uint_eq(weft_rmutex_depth(&r), 2);
        if (i == 1)
            break;
    }
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_uint_eq(weft_rmutex_depth(&r), 0);
}
END_TEST

START_TEST(test_the_lock_is_evaluated_once)
{
    weft_mutex two[2] = {WEFT_MUTEX_INIT};
    weft_mutex *next = two;

    WEFT_WITH(next++)
    {
        ck_assert(weft_mutex_is_locked(&two[0]));
    }
    WEFT_GUARD(next++);
    ck_assert(!weft_mutex_is_locked(&two[0]));
    ck_assert(weft_mutex_is_locked(&two[1]));
    ck_assert_ptr_eq(next, two + 2);
}
END_TEST

/* How a child ends that takes what it holds already. */
START_TEST(test_a_lock_that_cannot_be_had_stops_the_process)
{
    const pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        (void)freopen("/dev/null", "w", stderr);
        WEFT_GUARD(&m);
        WEFT_WITH(&m)
        {
            _exit(1);
        }
        _exit(2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_with_holds_and_releases_at_the_end, 1},
        {&test_return_releases, 1},
        {&test_break_and_continue_leave_the_block_and_release, 1},
        {&test_goto_releases, 1},
        {&test_a_guard_holds_until_its_block_ends, 1},
        {&test_the_lock_is_evaluated_once, 1},
        {&test_a_lock_that_cannot_be_had_stops_the_process, 1},
    };

    return run_tests("guard", tests, sizeof(tests) / sizeof(tests[0]), 10);
}

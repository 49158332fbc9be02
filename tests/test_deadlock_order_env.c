/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_env.c - predictions by policy, by what the environment
 * asks for, and with little memory.
 */
#include <weft/deadlock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadlocks.h"

/* --- policies ------------------------------------------------------------- */

START_TEST(test_nothing_fails_or_aborts_for_what_could_happen)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(_i == 0 ? WEFT_DEADLOCK_FAIL
                                                  : WEFT_DEADLOCK_ABORT),
                     WEFT_OK);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- the environment ------------------------------------------------------ */

#define AGAIN "--two-orders"
#define APART "--apart"
#define MANY  "--many"
#define OWN   "--own"

/* Run this program again with that in its environment. */
static int
run_again(const char *setting, const char *what)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        setenv("WEFT_DEADLOCK", setting, 1);
        execl("/proc/self/exe", "test_deadlock_order_env", what, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(test_the_environment_has_predictions_written)
{
    char json[] = "/tmp/weft-json-XXXXXX";
    char graph[] = "/tmp/weft-graph-XXXXXX";
    char setting[100];

    close(mkstemp(json));
    close(mkstemp(graph));
    listen_to_stderr();
    snprintf(setting, sizeof(setting), "report:json=%s:graph=%s", json, graph);
    ck_assert_int_eq(run_again(setting, AGAIN), 1);
    ck_assert(file_has(json, "a_then_b"));
    ck_assert(file_has(graph, "digraph"));
    ck_assert(has_said("To mend it"));
    unlink(json);
    unlink(graph);
}
END_TEST

START_TEST(test_the_environment_asks_for_plain_orders)
{
    listen_to_stderr();
    ck_assert_int_eq(run_again("report", APART), 0);
    ck_assert(!has_said("weft"));
    ck_assert_int_eq(run_again("report:order", APART), 1);
    ck_assert(has_said("weft: locks in both orders"));
    ck_assert(has_said("To mend it"));
}
END_TEST

START_TEST(test_a_word_that_is_none_is_said)
{
    static const char *const wrong[] = {"reprot",         "report:orders",
                                        "report:memory=", "report:memory=x",
                                        "report:json=",   "fail:memory=1kk"};
    static const char *const words[] = {"\"reprot\"",  "\"orders\"",
                                        "\"memory=\"", "\"memory=x\"",
                                        "\"json=\"",   "\"memory=1kk\""};

    listen_to_stderr();
    ck_assert_int_eq(run_again(wrong[_i], APART), 0);
    ck_assert(has_said("weft: WEFT_DEADLOCK: "));
    ck_assert(has_said(words[_i]));
    ck_assert(has_said("off, report, fail or abort"));
}
END_TEST

/* --- suppressions ---------------------------------------------------------- */

/* Run it again with a file of suppressions. */
static int
run_suppressed(const char *policy, const char *lines, const char *what)
{
    char file[] = "/tmp/weft-suppress-XXXXXX";
    char setting[100];
    const int fd = mkstemp(file);

    ck_assert_int_eq(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    close(fd);
    snprintf(setting, sizeof(setting), "%s:suppress=%s", policy, file);
    forget_what_was_said();
    const int result = run_again(setting, what);
    unlink(file);
    return result;
}

START_TEST(test_what_is_suppressed_is_counted_and_not_said)
{
    listen_to_stderr();
    ck_assert_int_eq(run_suppressed("report", "function:a_then_b\n", AGAIN), 0);
    ck_assert(!has_said("deadlock"));
    ck_assert(has_said("weft: 1 suppressed"));
    ck_assert_int_eq(run_suppressed("report", "# none\nfile:no.c\n", AGAIN), 1);
    ck_assert(has_said("deadlock that could happen"));
    ck_assert(!has_said("suppressed"));
}
END_TEST

/* What happens fails as it does; nothing is aborted for it. */
START_TEST(test_what_happens_is_suppressed_too)
{
    listen_to_stderr();
    ck_assert_int_eq(run_suppressed("fail", "module:*\n", OWN), 10);
    ck_assert(has_said("weft: 1 suppressed"));
    ck_assert_int_eq(run_suppressed("abort", "function:lock_own\n", OWN), 10);
    ck_assert(!has_said("deadlock"));
    ck_assert_int_eq(run_suppressed("fail", "function:own\n", OWN), 11);
    ck_assert(has_said("deadlock"));
}
END_TEST

START_TEST(test_a_file_of_suppressions_that_is_wrong_is_said)
{
    listen_to_stderr();
    ck_assert_int_eq(
        run_suppressed("report", "function:a_then_b\nfoo\n", AGAIN), 1);
    ck_assert(has_said("line 2 is not function:NAME"));
    ck_assert(has_said("deadlock that could happen"));
    forget_what_was_said();
    ck_assert_int_eq(run_again("report:suppress=/nowhere/x", AGAIN), 1);
    ck_assert(has_said("weft: WEFT_DEADLOCK: /nowhere/x: cannot be read"));
}
END_TEST

/* --- memory --------------------------------------------------------------- */

static weft_mutex many[20000];

/* Each in turn inside a, which is one more combination. */
static int
take_many(void)
{
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        weft_mutex_lock(&a);
        weft_mutex_lock(&many[i]);
        weft_mutex_unlock(&many[i]);
        weft_mutex_unlock(&a);
    }
    return 0;
}

START_TEST(test_what_is_full_says_so_once_and_goes_on)
{
    listen_to_stderr();
    ck_assert_int_eq(run_again("report:memory=1m", MANY), 0);
    ck_assert(has_said("for the orders of locks are full"));
    forget_what_was_said();
    ck_assert_int_eq(run_again("report:memory=8k", MANY), 0);
    forget_what_was_said();
    ck_assert_int_eq(run_again("report", MANY), 0);
    ck_assert(!has_said("full"));
}
END_TEST

/* What it says, and 10 if it failed. */
__attribute__((noinline)) static int
lock_own(void)
{
    weft_mutex_lock(&a);
    const enum weft_status s = weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    return (int)weft_deadlock_count() + (s == WEFT_DEADLOCK ? 10 : 0);
}

/* What this program does for the tests that run it again. */
static int
be_run(const char *what)
{
    if (strcmp(what, MANY) == 0) {
        take_many();
        take_many();
        run_two(a_then_b, b_then_a);
        return 0;
    }
    if (strcmp(what, OWN) == 0)
        return lock_own();
    if (strcmp(what, APART) == 0)
        run_two(gate_a_then_b, gate_b_then_a);
    else
        run_two(a_then_b, b_then_a);
    return (int)weft_deadlock_predicted();
}

int
main(int argc, char **argv)
{
    if (argc == 2)
        return be_run(argv[1]);
    static const struct test tests[] = {
        {&test_nothing_fails_or_aborts_for_what_could_happen, 2},
        {&test_the_environment_has_predictions_written, 1},
        {&test_the_environment_asks_for_plain_orders, 1},
        {&test_a_word_that_is_none_is_said, 6},
        {&test_what_is_suppressed_is_counted_and_not_said, 1},
        {&test_what_happens_is_suppressed_too, 1},
        {&test_a_file_of_suppressions_that_is_wrong_is_said, 1},
        {&test_what_is_full_says_so_once_and_goes_on, 1},
    };

    if (in_emulator()) {
        puts("left out: a program that runs itself again runs the emulator");
        return 77;
    }
    return run_tests("deadlock_order_env", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

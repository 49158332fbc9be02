/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_values.c - what weft-deadlock is told: times, signals, and what
 * it is not to tell.
 */
#include "deadlock/values.h"

#include <signal.h>
#include <string.h>

#include "deadlock/suppress.h"
#include "testing.h"

START_TEST(test_seconds_are_milliseconds)
{
    ck_assert_int_eq(weft_value_ms_("2"), 2000);
    ck_assert_int_eq(weft_value_ms_("0.25"), 250);
    ck_assert_int_eq(weft_value_ms_(".5"), 500);
    ck_assert_int_eq(weft_value_ms_("0.0001"), 1);
    ck_assert_int_eq(weft_value_ms_("31536000"), INT64_C(31536000000));
}
END_TEST

START_TEST(test_what_is_no_time_is_none)
{
    static const char *const bad[] = {"",    ".",   "0",     "0.0",     "-1",
                                      " 1",  "1 ",  "1s",    "1e3",     "nan",
                                      "0x1", "inf", "1.2.3", "31536001"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(weft_value_ms_(bad[i]) == 0, "%s", bad[i]);
}
END_TEST

START_TEST(test_a_signal_has_a_name_or_a_number)
{
    ck_assert_int_eq(weft_value_signal_("QUIT"), SIGQUIT);
    ck_assert_int_eq(weft_value_signal_("SIGUSR1"), SIGUSR1);
    ck_assert_int_eq(weft_value_signal_("3"), SIGQUIT);
    ck_assert_int_eq(weft_value_signal_("64"), 64);
}
END_TEST

START_TEST(test_a_signal_that_cannot_be_handled_is_none)
{
    static const char *const bad[] = {"",   "KILL", "SIGSTOP", "SEGV", "9",
                                      "11", "32",   "33",      "65",   "-3",
                                      "3x", "quit", "0",       "SIG"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(weft_value_signal_(bad[i]) == 0, "%s", bad[i]);
}
END_TEST

static bool
fits(const char *pattern, const char *s)
{
    return weft_suppress_fits_(pattern, strlen(pattern), s);
}

START_TEST(test_a_pattern_fits_the_whole)
{
    ck_assert(fits("abc", "abc"));
    ck_assert(!fits("abc", "abcd"));
    ck_assert(!fits("abcd", "abc"));
    ck_assert(fits("a?c", "abc"));
    ck_assert(!fits("abc?", "abc"));
    ck_assert(fits("*", ""));
    ck_assert(fits("a*", "a"));
    ck_assert(fits("*b*d", "abcbd"));
    ck_assert(!fits("*b*d", "abcbde"));
    ck_assert(fits("*aab", "aaaab"));
    ck_assert(fits("f(char*)", "f(char*)"));
    ck_assert(fits("f(char**)", "f(char const*)"));
}
END_TEST

/* Whether one line names a call in bank::pay, /src/bank/pay.c, libbank.so. */
static bool
names(const char *line)
{
    return weft_suppress_matches_(line, "bank::pay", "/src/bank/pay.c",
                                  "libbank.so");
}

START_TEST(test_a_line_names_functions_files_or_modules)
{
    ck_assert(names("function:bank::pay"));
    ck_assert(names("function:bank::*"));
    ck_assert(!names("function:pay"));
    ck_assert(!names("file:bank::pay"));
    ck_assert(names("module:libbank.so"));
    ck_assert(names("module:libbank.*"));
    ck_assert(!names("module:bank"));
    ck_assert(!names("function:libbank.so"));
}
END_TEST

START_TEST(test_a_file_is_its_last_part_or_a_path)
{
    ck_assert(names("file:pay.c"));
    ck_assert(names("file:pay.*"));
    ck_assert(!names("file:ay.c"));
    ck_assert(!names("file:bank"));
    ck_assert(names("file:/src/bank/pay.c"));
    ck_assert(names("file:src/bank/pay.c"));
    ck_assert(names("file:bank/pay.c"));
    ck_assert(names("file:/bank/pay.c"));
    ck_assert(names("file:/src/*"));
    ck_assert(!names("file:src/bank"));
    ck_assert(!names("file:nk/pay.c"));
}
END_TEST

START_TEST(test_one_line_of_many_is_enough)
{
    ck_assert(names("# function:x\n\nfunction:x\n\t module: libbank.so \r\n#"));
    ck_assert(!names("#function:bank::pay\nfunction:bank\n"));
    ck_assert(!names(""));
}
END_TEST

START_TEST(test_what_is_not_known_fits_nothing)
{
    ck_assert(
        !weft_suppress_matches_("function:*\nfile:*\nmodule:*", "", "", ""));
}
END_TEST

START_TEST(test_a_wrong_line_is_named)
{
    unsigned line;

    ck_assert_ptr_null(weft_suppress_check_("", &line));
    ck_assert_ptr_null(weft_suppress_check_(
        "# x\n \n\nfile:a\n  module:b c\nfunction:d", &line));
    ck_assert_ptr_nonnull(weft_suppress_check_("file:a\nfile:\n", &line));
    ck_assert_uint_eq(line, 2);
    ck_assert_ptr_nonnull(weft_suppress_check_("file:a\n\nfiles:b", &line));
    ck_assert_uint_eq(line, 3);
    ck_assert_ptr_nonnull(weft_suppress_check_("function", &line));
    ck_assert_uint_eq(line, 1);
    ck_assert_ptr_nonnull(weft_suppress_check_("file: \t\n", &line));
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_seconds_are_milliseconds, 1},
        {&test_what_is_no_time_is_none, 1},
        {&test_a_signal_has_a_name_or_a_number, 1},
        {&test_a_signal_that_cannot_be_handled_is_none, 1},
        {&test_a_pattern_fits_the_whole, 1},
        {&test_a_line_names_functions_files_or_modules, 1},
        {&test_a_file_is_its_last_part_or_a_path, 1},
        {&test_one_line_of_many_is_enough, 1},
        {&test_what_is_not_known_fits_nothing, 1},
        {&test_a_wrong_line_is_named, 1},
    };

    return run_tests("deadlock_values", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

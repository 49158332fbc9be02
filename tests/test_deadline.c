/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include "testing.h"

/* The four constructors, tested alike. */
static const struct {
    weft_deadline (*in)(int64_t n);
    int64_t unit_ns;
} units[] = {
    {weft_in_ns, 1},
    {weft_in_us, 1000},
    {weft_in_ms, 1000000},
    {weft_in_s, 1000000000},
};

#define UNITS ((int)(sizeof(units) / sizeof(units[0])))

static int64_t
system_ns(void)
{
    struct timespec now;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

START_TEST(test_clock_is_the_monotonic_one_and_never_goes_back)
{
    for (int i = 0; i < 1000; i++) {
        const int64_t before = system_ns();
        const int64_t ours = weft_clock_ns_();
        const int64_t after = system_ns();

        ck_assert_int_ge(ours, before);
        ck_assert_int_le(ours, after);
    }
}
END_TEST

START_TEST(test_deadline_lies_n_units_from_now)
{
    const int64_t before = system_ns();
    const weft_deadline d = units[_i].in(3);
    const int64_t after = system_ns();

    ck_assert_int_ge(d, before + 3 * units[_i].unit_ns);
    ck_assert_int_le(d, after + 3 * units[_i].unit_ns);
}
END_TEST

START_TEST(test_nothing_or_less_from_now_is_now)
{
    static const int64_t none[] = {0, -1, -1000000000, INT64_MIN + 1,
                                   INT64_MIN};

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        ck_assert_int_eq(units[_i].in(none[i]), WEFT_NOW);
}
END_TEST

START_TEST(test_product_that_does_not_fit_is_forever)
{
    const int64_t largest = INT64_MAX / units[_i].unit_ns;

    ck_assert_int_eq(units[_i].in(INT64_MAX), WEFT_FOREVER);
    if (largest < INT64_MAX)
        ck_assert_int_eq(units[_i].in(largest + 1), WEFT_FOREVER);
}
END_TEST

START_TEST(test_sum_that_does_not_fit_is_forever)
{
    /* The clock has passed `before` by the time of the call, so the sum is at
     * least INT64_MAX, and the product alone fits. */
    const int64_t room_ns = INT64_MAX - system_ns();
    const int64_t unit = units[_i].unit_ns;

    ck_assert_int_eq(units[_i].in(room_ns / unit + (room_ns % unit != 0)),
                     WEFT_FOREVER);
}
END_TEST

START_TEST(test_largest_sum_that_fits_is_exact)
{
    /* An hour short of the end, which the call will not take. */
    const int64_t hour_ns = INT64_C(3600) * 1000000000;
    const int64_t before = system_ns();
    const int64_t n = (INT64_MAX - hour_ns - before) / units[_i].unit_ns;
    const weft_deadline d = units[_i].in(n);
    const int64_t after = system_ns();

    ck_assert_int_ne(d, WEFT_FOREVER);
    ck_assert_int_ge(d, before + n * units[_i].unit_ns);
    ck_assert_int_le(d, after + n * units[_i].unit_ns);
}
END_TEST

START_TEST(test_later_call_gives_later_deadline)
{
    weft_deadline last = units[_i].in(1);

    for (int i = 0; i < 1000; i++) {
        const weft_deadline d = units[_i].in(1);
        ck_assert_int_ge(d, last);
        last = d;
    }
}
END_TEST

START_TEST(test_timespec_is_the_same_instant)
{
    static const struct {
        weft_deadline d;
        int64_t s, ns;
    } rows[] = {
        {WEFT_NOW, 0, 0},
        {1, 0, 1},
        {999999999, 0, 999999999},
        {1000000000, 1, 0},
        {1000000001, 1, 1},
        {WEFT_FOREVER, 9223372036, 854775807},
        {-1, 0, 0},        /* before the clock began: the system */
        {INT64_MIN, 0, 0}, /* refuses negative times */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct timespec t = weft_deadline_timespec_(rows[i].d);
        ck_assert_int_eq(t.tv_sec, rows[i].s);
        ck_assert_int_eq(t.tv_nsec, rows[i].ns);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_clock_is_the_monotonic_one_and_never_goes_back, 1},
        {&test_deadline_lies_n_units_from_now, UNITS},
        {&test_nothing_or_less_from_now_is_now, UNITS},
        {&test_product_that_does_not_fit_is_forever, UNITS},
        {&test_sum_that_does_not_fit_is_forever, UNITS},
        {&test_largest_sum_that_fits_is_exact, UNITS},
        {&test_later_call_gives_later_deadline, UNITS},
        {&test_timespec_is_the_same_instant, 1},
    };

    return run_tests("deadline", tests, sizeof(tests) / sizeof(tests[0]), 10);
}

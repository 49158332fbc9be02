/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <stdint.h>
#include <stdlib.h>

#include "random.h"
#include "report/histogram.h"

#define VALUES 20000

static const double percents[] = {0.01, 1, 25, 50, 90, 99, 99.9, 99.99, 100};
#define PERCENTS (sizeof(percents) / sizeof(percents[0]))

static int
by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Between 1 ns and nine minutes, as many in each power of two. */
static int64_t
draw(struct prng *p)
{
    return (int64_t)(prng_next(p) >> 24 >> prng_below(p, 40)) / 2;
}

/* The value of rank ceil(percent / 100 * n), counted from 1. */
static int64_t
exact(const int64_t *sorted, size_t n, double percent)
{
    const size_t scaled = (size_t)(percent * 100 + 0.5);
    const size_t rank = (scaled * n + 9999) / 10000;

    return sorted[rank == 0 ? 0 : rank - 1];
}

START_TEST(test_percentiles_are_those_of_the_sorted_values)
{
    const int digits = _i + 1;
    struct histogram *h = histogram_create(digits, HISTOGRAM_MINUTES);
    int64_t *values = malloc(VALUES * sizeof(*values));
    struct prng p;
    double error = 1;

    for (int i = 0; i < digits; i++)
        error /= 10;
    prng_seed(&p, 0x5eed, (uint64_t)_i);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = draw(&p);
        histogram_record(h, values[i]);
    }
    qsort(values, VALUES, sizeof(*values), by_value);
    for (size_t k = 0; k < PERCENTS; k++) {
        const int64_t want = exact(values, VALUES, percents[k]);
        const int64_t got = histogram_percentile(h, percents[k]);
        ck_assert_int_ge(got, want);
        ck_assert_double_le((double)(got - want), error * (double)want);
    }
    ck_assert_int_eq(histogram_percentile(h, 0), values[0]);
    ck_assert_int_eq(histogram_percentile(h, 100), values[VALUES - 1]);
    free(values);
    histogram_destroy(h);
}
END_TEST

START_TEST(test_small_values_are_exact)
{
    struct histogram *h = histogram_create(2, HISTOGRAM_MINUTES);

    for (int64_t v = 0; v < 256; v++) {
        histogram_reset(h);
        histogram_record_n(h, 1000, 1);
        histogram_record_n(h, v, 99);
        ck_assert_int_eq(histogram_percentile(h, 99), v);
        ck_assert_int_eq(h->least, v);
        ck_assert_int_eq(h->most, 1000);
    }
    histogram_destroy(h);
}
END_TEST

START_TEST(test_no_value_is_understated)
{
    struct histogram *h = histogram_create(2, HISTOGRAM_MINUTES);

    for (int64_t v = 1; v < 1 << 16; v++) {
        histogram_record_n(h, v, 1);
        histogram_record_n(h, HISTOGRAM_MINUTES, 1);
        const int64_t got = histogram_percentile(h, 50);
        ck_assert_int_ge(got, v);
        ck_assert_int_lt((got - v) * 100, v);
        h->counts[histogram_index(h, v)] = 0;
        h->counts[h->size - 1] = 0;
        h->count = 0;
    }
    histogram_destroy(h);
}
END_TEST

START_TEST(test_each_bucket_begins_where_the_last_one_ends)
{
    struct histogram *h = histogram_create(1, HISTOGRAM_MINUTES);
    size_t last = histogram_index(h, 0);

    ck_assert_uint_eq(last, 0);
    for (int64_t v = 1; v < 1 << 20; v++) {
        const size_t index = histogram_index(h, v);
        ck_assert(index == last || index == last + 1);
        last = index;
    }
    ck_assert_uint_eq(histogram_index(h, h->highest), h->size - 1);
    histogram_destroy(h);
}
END_TEST

START_TEST(test_merged_histogram_is_that_of_all_values)
{
    struct histogram *all = histogram_create(3, HISTOGRAM_MINUTES);
    struct histogram *merged = histogram_create(3, HISTOGRAM_MINUTES);
    struct histogram *part = histogram_create(3, HISTOGRAM_MINUTES);
    struct prng p;

    prng_seed(&p, 7, 0);
    for (int i = 0; i < 4; i++) {
        histogram_reset(part);
        for (int k = 0; k < 1000 * i; k++) {
            const int64_t v = draw(&p);
            histogram_record(part, v);
            histogram_record(all, v);
        }
        histogram_merge(merged, part);
    }
    ck_assert_uint_eq(merged->count, all->count);
    ck_assert_int_eq(merged->least, all->least);
    ck_assert_int_eq(merged->most, all->most);
    ck_assert_double_eq_tol(histogram_mean(merged), histogram_mean(all), 1e-3);
    for (size_t k = 0; k < PERCENTS; k++)
        ck_assert_int_eq(histogram_percentile(merged, percents[k]),
                         histogram_percentile(all, percents[k]));
    histogram_destroy(part);
    histogram_destroy(merged);
    histogram_destroy(all);
}
END_TEST

START_TEST(test_value_out_of_range_counts_as_the_nearest)
{
    struct histogram *h = histogram_create(2, 1000);

    histogram_record(h, INT64_MAX);
    ck_assert_int_eq(histogram_percentile(h, 50), 1000);
    histogram_record(h, -5);
    ck_assert_int_eq(histogram_percentile(h, 50), 0);
    ck_assert_uint_eq(h->count, 2);
    histogram_destroy(h);
}
END_TEST

START_TEST(test_empty_histogram_answers_zero)
{
    struct histogram *h = histogram_create(2, 1000);

    ck_assert_int_eq(histogram_percentile(h, 50), 0);
    ck_assert_double_eq(histogram_mean(h), 0);
    histogram_destroy(h);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_percentiles_are_those_of_the_sorted_values, 4},
        {&test_small_values_are_exact, 1},
        {&test_no_value_is_understated, 1},
        {&test_each_bucket_begins_where_the_last_one_ends, 1},
        {&test_merged_histogram_is_that_of_all_values, 1},
        {&test_value_out_of_range_counts_as_the_nearest, 1},
        {&test_empty_histogram_answers_zero, 1},
    };

    return run_tests("stress histogram", tests,
                     sizeof(tests) / sizeof(tests[0]), 20);
}

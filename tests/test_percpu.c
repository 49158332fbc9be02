/* SPDX-License-Identifier: MIT */
#include "base/percpu.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/percpu_port.h"
#include "testing.h"

#define ADDS 100000

START_TEST(test_parse_counts_to_the_highest_number)
{
    static const struct {
        const char *list;
        unsigned count;
    } lists[] = {
        {"0", 1},         {"0\n", 1},     {"0-1\n", 2},
        {"0-127\n", 128}, {"0,2-5\n", 6}, {"4-7,0-1", 8},
        {"65535", 65536}, {"65536", 0},   {"0-99999999999999999999", 0},
        {"", 0},          {"\n", 0},      {"-1", 0},
        {"0-", 0},        {"0-\n", 0},    {"0,,1", 0},
        {"0 1", 0},       {"all", 0},     {"0-1;", 0},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        ck_assert_uint_eq(weft_percpu_parse_(lists[i].list), lists[i].count);
}
END_TEST

START_TEST(test_table_reaches_every_cpu_of_the_machine)
{
    cpu_set_t mine;

    ck_assert_uint_ge(weft_percpu_count_(), 1);
    ck_assert_uint_eq(weft_percpu_count_(), weft_percpu_count_());
    ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &mine))
            ck_assert_uint_lt(cpu, weft_percpu_count_());
}
END_TEST

static struct weft_percpu_cell table[64];

static int64_t
total(bool shared)
{
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        sum += atomic_load_explicit(shared ? &table[i].shared : &table[i].owned,
                                    memory_order_relaxed);
    return sum;
}

START_TEST(test_owned_adds_to_the_cell_of_this_cpu_only)
{
    cpu_set_t mine;
    unsigned cpu = 0;

    if (!owned_works())
        return;
    ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
    while (!CPU_ISSET(cpu, &mine))
        cpu++;
    if (cpu >= sizeof(table) / sizeof(table[0]))
        return;
    CPU_ZERO(&mine);
    CPU_SET(cpu, &mine);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(mine), &mine), 0);

    int64_t done = 0;
    for (int i = 0; i < ADDS; i++)
        if (add_owned(table, cpu + 1, 3))
            done += 3;
    ck_assert_int_gt(done, 0);
    ck_assert_int_eq(
        atomic_load_explicit(&table[cpu].owned, memory_order_relaxed), done);
    ck_assert_int_eq(total(false), done);
    ck_assert_int_eq(total(true), 0);
}
END_TEST

START_TEST(test_owned_leaves_a_table_that_ends_before_this_cpu)
{
    for (int i = 0; i < 100; i++)
        ck_assert(!add_owned(table, 0, 1));
    ck_assert_int_eq(total(false), 0);
    ck_assert_int_eq(total(true), 0);
}
END_TEST

#define THREADS 8

static void *
add_shared(void *count)
{
    for (int i = 0; i < ADDS; i++)
        weft_percpu_add_shared_(table, *(unsigned *)count, 1);
    return NULL;
}

/* _i cells */
START_TEST(test_shared_spreads_threads_over_the_table_and_stays_inside)
{
    unsigned count = (unsigned)_i + 1;
    pthread_t thread[THREADS];
    unsigned touched = 0;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, add_shared, &count),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);

    ck_assert_int_eq(total(true), THREADS * ADDS);
    ck_assert_int_eq(total(false), 0);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        bool used =
            atomic_load_explicit(&table[i].shared, memory_order_relaxed) != 0;
        ck_assert(!used || i < count);
        touched += used;
    }
    ck_assert_uint_ge(touched, count < THREADS ? count / 2 + 1 : THREADS / 2);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_parse_counts_to_the_highest_number, 1},
        {&test_table_reaches_every_cpu_of_the_machine, 1},
        {&test_owned_adds_to_the_cell_of_this_cpu_only, 1},
        {&test_owned_leaves_a_table_that_ends_before_this_cpu, 1},
        {&test_shared_spreads_threads_over_the_table_and_stays_inside, 9},
    };

    return run_tests("percpu", tests, sizeof(tests) / sizeof(tests[0]), 30);
}

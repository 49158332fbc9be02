/* SPDX-License-Identifier: MIT */
#include "base/patience.h"

#include <sched.h>
#include <time.h>

#include "base/park.h"
#include "testing.h"

/*
 * The linker sends the library's looks at the clock, its yields and its question
 * for CPUs here; see the program's LDFLAGS.  So each look takes STEP_NS.
 */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_sched_yield(void);
bool __wrap_weft_park_may_spin_(void);

#define STEP_NS 100
#define SOON_NS (WEFT_PATIENCE_PAYS_NS / 2)
#define LATE_NS (2 * WEFT_PATIENCE_PAYS_NS)

static int64_t clock_ns;
static int64_t yield_takes_ns;
static unsigned yields;
static bool one_cpu;
static struct weft_patience_ patience;

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    ck_assert_int_eq(clock, CLOCK_MONOTONIC);
    clock_ns += STEP_NS;
    *now = (struct timespec){.tv_sec = clock_ns / 1000000000,
                             .tv_nsec = clock_ns % 1000000000};
    return 0;
}

int
__wrap_sched_yield(void)
{
    yields++;
    clock_ns += yield_takes_ns;
    return 0;
}

bool
__wrap_weft_park_may_spin_(void)
{
    return !one_cpu;
}

static void
begin(void)
{
    clock_ns = 1000000000;
    yield_takes_ns = 0;
    yields = 0;
    one_cpu = false;
    patience = (struct weft_patience_){.begun_ns = 0};
}

/* Wait for what does not come; how long it spun. */
static int64_t
spin(void)
{
    const int64_t begun = clock_ns;

    weft_patience_begin_(&patience, 1);
    while (weft_patience_pause_(&patience))
        ;
    return clock_ns - begun;
}

static void
sleep_for(int64_t ns)
{
    clock_ns += ns;
    weft_patience_woken_(&patience);
}

static void
assert_short(int64_t spun)
{
    ck_assert_int_ge(spun, WEFT_PARK_SPIN_NS);
    ck_assert_int_le(spun, WEFT_PARK_SPIN_NS + 10 * STEP_NS);
}

static void
assert_long(int64_t spun)
{
    ck_assert_int_ge(spun, WEFT_PATIENCE_NS);
    ck_assert_int_le(spun, WEFT_PATIENCE_NS + 10 * STEP_NS);
}

START_TEST(test_a_wait_spins_for_a_short_while)
{
    begin();
    assert_short(spin());
    assert_short(spin());
}
END_TEST

START_TEST(test_a_sleep_that_was_soon_over_makes_the_next_spin_long)
{
    begin();
    (void)spin();
    sleep_for(SOON_NS);
    assert_long(spin());
}
END_TEST

START_TEST(test_a_sleep_that_was_not_leaves_it_short)
{
    begin();
    (void)spin();
    sleep_for(LATE_NS);
    assert_short(spin());
}
END_TEST

START_TEST(test_a_long_spin_that_was_enough_is_followed_by_long_ones)
{
    begin();
    (void)spin();
    sleep_for(SOON_NS);
    weft_patience_begin_(&patience, 1);
    ck_assert(weft_patience_pause_(&patience)); /* and then it was there */
    assert_long(spin());
}
END_TEST

START_TEST(test_a_long_spin_in_vain_is_followed_by_a_short_one)
{
    begin();
    (void)spin();
    sleep_for(SOON_NS);
    (void)spin();
    sleep_for(0);
    assert_short(spin());
}
END_TEST

START_TEST(test_a_sleep_without_a_spin_teaches_nothing)
{
    begin();
    (void)spin();
    sleep_for(LATE_NS);
    weft_patience_begin_(&patience, 1);
    sleep_for(SOON_NS);
    assert_short(spin());
    sleep_for(SOON_NS);
    weft_patience_begin_(&patience, 1);
    sleep_for(LATE_NS);
    assert_long(spin());
}
END_TEST

START_TEST(test_it_lets_others_run_while_it_spins)
{
    begin();
    (void)spin();
    ck_assert_uint_ge(yields, 2);
    ck_assert_uint_le(yields, WEFT_PARK_SPIN_NS / 1000);
}
END_TEST

START_TEST(test_who_was_woken_gives_way_first)
{
    begin();
    (void)spin();
    sleep_for(LATE_NS);
    yields = 0;
    weft_patience_begin_(&patience, 16);
    ck_assert(weft_patience_pause_(&patience));
    ck_assert_uint_eq(yields, 1);
    /* Nobody else had any use for that. */
    ck_assert(weft_patience_pause_(&patience));
    ck_assert_uint_eq(yields, 1);
    yields = 0;
    weft_patience_begin_(&patience, 16);
    ck_assert(weft_patience_pause_(&patience));
    ck_assert_uint_eq(yields, 0);
}
END_TEST

/* Another thread takes the CPU whenever it is given it. */
static void
wait_for_yield(void)
{
    yields = 0;
    weft_patience_begin_(&patience, 16);
    while (yields == 0)
        ck_assert(weft_patience_pause_(&patience));
}

static bool
yields_first(void)
{
    yields = 0;
    weft_patience_begin_(&patience, 16);
    ck_assert(weft_patience_pause_(&patience));
    return yields == 1;
}

START_TEST(test_who_waits_for_a_thread_of_its_cpu_gives_way_each_time)
{
    begin();
    yield_takes_ns = 1500;
    wait_for_yield(); /* and then it was there */
    ck_assert(yields_first());
    ck_assert(yields_first());
}
END_TEST

START_TEST(test_who_gave_way_in_vain_does_not_begin_with_it)
{
    begin();
    yield_takes_ns = 1500;
    wait_for_yield();
    ck_assert(weft_patience_pause_(&patience));
    ck_assert(!yields_first());
}
END_TEST

START_TEST(test_who_gave_way_to_nobody_does_not_begin_with_it)
{
    begin();
    wait_for_yield();
    ck_assert(!yields_first());
}
END_TEST

START_TEST(test_on_one_cpu_nothing_spins)
{
    begin();
    one_cpu = true;
    weft_patience_begin_(&patience, 1);
    ck_assert(!weft_patience_pause_(&patience));
    ck_assert_uint_eq(yields, 0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_wait_spins_for_a_short_while, 1},
        {&test_a_sleep_that_was_soon_over_makes_the_next_spin_long, 1},
        {&test_a_sleep_that_was_not_leaves_it_short, 1},
        {&test_a_long_spin_that_was_enough_is_followed_by_long_ones, 1},
        {&test_a_long_spin_in_vain_is_followed_by_a_short_one, 1},
        {&test_a_sleep_without_a_spin_teaches_nothing, 1},
        {&test_it_lets_others_run_while_it_spins, 1},
        {&test_who_was_woken_gives_way_first, 1},
        {&test_who_waits_for_a_thread_of_its_cpu_gives_way_each_time, 1},
        {&test_who_gave_way_in_vain_does_not_begin_with_it, 1},
        {&test_who_gave_way_to_nobody_does_not_begin_with_it, 1},
        {&test_on_one_cpu_nothing_spins, 1},
    };

    return run_tests("patience", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

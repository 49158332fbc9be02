/* SPDX-License-Identifier: MIT */
/*
 * Counters among threads, CPUs and signals; _i is the variant.
 */
#include "counting.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>

#include "base/percpu_port.h"
#include "testing.h"

#define THREADS 8

/* No addition is lost: to other threads, other CPUs, or signal handlers. */

#define ADDS         500000
#define ADDS_A_VISIT 4096 /* on one CPU before it moves to the next */

static weft_counter *under_test;
static _Atomic int64_t added_by_handler;
static _Atomic int busy; /* threads that still add */

static void
add_in_handler(int signal)
{
    (void)signal;
    weft_counter_add(under_test, 1);
    atomic_fetch_add_explicit(&added_by_handler, 1, memory_order_relaxed);
}

static void *
add_and_migrate(void *arg)
{
    const int64_t n = *(const int64_t *)arg;

    for (int i = 0; i < ADDS; i++) {
        if (i % ADDS_A_VISIT == 0)
            move_on();
        weft_counter_add(under_test, n);
    }
    atomic_fetch_sub_explicit(&busy, 1, memory_order_relaxed);
    return NULL;
}

START_TEST(test_no_addition_is_lost)
{
    static const int64_t n[THREADS] = {1, 1, -1, 7, 1, 1, -3, 1};
    struct sigaction action = {.sa_handler = add_in_handler};
    pthread_t thread[THREADS];
    int64_t sum = 0;

    under_test = make_counter(_i);
    learn_cpus();
    sigaction(SIGUSR1, &action, NULL);
    atomic_store_explicit(&busy, THREADS, memory_order_relaxed);
    for (int i = 0; i < THREADS; i++) {
        int64_t step = n[i];
        ck_assert_int_eq(pthread_create(&thread[i], NULL, add_and_migrate,
                                        (void *)(uintptr_t)&n[i]),
                         0);
        sum += step * ADDS;
    }
    /* A handler cannot wait for the lock that the thread below it holds. */
    for (int i = 0; atomic_load_explicit(&busy, memory_order_relaxed) > 0; i++)
        if (_i != VARIANT_MUTEX)
            pthread_kill(thread[i % THREADS], SIGUSR1);
        else
            sched_yield();
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);

    sum += atomic_load_explicit(&added_by_handler, memory_order_relaxed);
    ck_assert_int_eq(weft_counter_sum(under_test), sum);
    weft_counter_destroy(under_test);
}
END_TEST

/*
 * One thread adds, and each signal moves it to another CPU.  The cell of the
 * CPU it left must stay as it was until it comes back: an addition that was
 * under way may not land there.
 */

#define MOVES 1000

static unsigned left_behind;     /* its number, and what it owned */
static int64_t owned_when_left;  /* of the adding thread and its handler */
static _Atomic int64_t moved;    /* signals handled */
static _Atomic int64_t strays;   /* additions to a CPU left behind */
static _Atomic int64_t in_total; /* additions made */

static int64_t
owned_by(unsigned cpu)
{
    return atomic_load_explicit(&under_test->cells[cpu].owned,
                                memory_order_relaxed);
}

static void
leave_cpu(int signal)
{
    (void)signal;
    if (atomic_load_explicit(&moved, memory_order_relaxed) > 0 &&
        owned_by(left_behind) != owned_when_left)
        atomic_fetch_add_explicit(&strays, 1, memory_order_relaxed);
    left_behind = (unsigned)sched_getcpu();
    move_on();
    owned_when_left = owned_by(left_behind);
    atomic_fetch_add_explicit(&moved, 1, memory_order_relaxed);
}

static void *
add_until_not_busy(void *arg)
{
    int64_t n = 0;

    (void)arg;
    for (; atomic_load_explicit(&busy, memory_order_relaxed) > 0; n++)
        weft_counter_add(under_test, 1);
    atomic_store_explicit(&in_total, n, memory_order_relaxed);
    return NULL;
}

START_TEST(test_addition_never_lands_on_a_cpu_left_behind)
{
    struct sigaction action = {.sa_handler = leave_cpu};
    pthread_t thread;

    under_test = make_counter(VARIANT_PERCPU);
    if (!owned_works() || learn_cpus() < 2)
        return;
    sigaction(SIGUSR1, &action, NULL);
    atomic_store_explicit(&busy, 1, memory_order_relaxed);
    ck_assert_int_eq(pthread_create(&thread, NULL, add_until_not_busy, NULL),
                     0);
    for (int64_t i = 0; i < MOVES; i++) {
        pthread_kill(thread, SIGUSR1);
        while (atomic_load_explicit(&moved, memory_order_relaxed) <= i)
            sched_yield();
    }
    atomic_store_explicit(&busy, 0, memory_order_relaxed);
    pthread_join(thread, NULL);

    ck_assert_int_eq(atomic_load_explicit(&strays, memory_order_relaxed), 0);
    ck_assert_int_eq(weft_counter_sum(under_test),
                     atomic_load_explicit(&in_total, memory_order_relaxed));
    weft_counter_destroy(under_test);
}
END_TEST

/* Resets and sums while others add. */

#define ADDERS    4
#define RESETTERS 2

static _Atomic int64_t taken_away;

static void *
add_ones(void *arg)
{
    (void)arg;
    for (int i = 0; i < ADDS; i++)
        weft_counter_add(under_test, 1);
    atomic_fetch_sub_explicit(&busy, 1, memory_order_relaxed);
    return NULL;
}

static void *
reset_again_and_again(void *arg)
{
    int64_t taken = 0;
    bool *negative = arg;

    while (atomic_load_explicit(&busy, memory_order_relaxed) > 0) {
        int64_t one = weft_counter_reset(under_test);
        *negative |= one < 0;
        taken += one;
        *negative |= weft_counter_sum(under_test) < 0;
    }
    atomic_fetch_add_explicit(&taken_away, taken, memory_order_relaxed);
    return NULL;
}

START_TEST(test_resets_and_a_last_sum_count_each_addition_once)
{
    pthread_t adder[ADDERS];
    pthread_t resetter[RESETTERS];
    bool negative[RESETTERS] = {false};

    under_test = make_counter(_i);
    atomic_store_explicit(&busy, ADDERS, memory_order_relaxed);
    for (int i = 0; i < RESETTERS; i++)
        ck_assert_int_eq(pthread_create(&resetter[i], NULL,
                                        reset_again_and_again, &negative[i]),
                         0);
    for (int i = 0; i < ADDERS; i++)
        ck_assert_int_eq(pthread_create(&adder[i], NULL, add_ones, NULL), 0);
    for (int i = 0; i < ADDERS; i++)
        pthread_join(adder[i], NULL);
    for (int i = 0; i < RESETTERS; i++) {
        pthread_join(resetter[i], NULL);
        ck_assert(!negative[i]);
    }

    int64_t taken = atomic_load_explicit(&taken_away, memory_order_relaxed);
    ck_assert_int_eq(taken + weft_counter_sum(under_test), ADDERS * ADDS);
    weft_counter_destroy(under_test);
}
END_TEST

/* release: tell -> acquire: tell; the value is how many additions were made. */
static _Atomic int64_t told;

static void *
add_and_tell(void *arg)
{
    (void)arg;
    for (int64_t i = 1; i <= ADDS; i++) {
        weft_counter_add(under_test, 1);
        /* release: tell */
        atomic_store_explicit(&told, i, memory_order_release);
    }
    return NULL;
}

START_TEST(test_sum_counts_what_happened_before)
{
    pthread_t thread;
    int64_t known;

    under_test = make_counter(_i);
    ck_assert_int_eq(pthread_create(&thread, NULL, add_and_tell, NULL), 0);
    do {
        /* acquire: tell */
        known = atomic_load_explicit(&told, memory_order_acquire);
        ck_assert_int_ge(weft_counter_sum(under_test), known);
    } while (known < ADDS);
    pthread_join(thread, NULL);
    ck_assert_int_eq(weft_counter_sum(under_test), ADDS);
    weft_counter_destroy(under_test);
}
END_TEST

START_TEST(test_all_of_this_holds_without_registration)
{
    must_hold_without_registration("test_counter_threads");
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_no_addition_is_lost, VARIANTS},
        {&test_addition_never_lands_on_a_cpu_left_behind, 1},
        {&test_resets_and_a_last_sum_count_each_addition_once, VARIANTS},
        {&test_sum_counts_what_happened_before, VARIANTS},
        {&test_all_of_this_holds_without_registration, 1},
    };

    return run_tests("counter_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

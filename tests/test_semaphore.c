/* SPDX-License-Identifier: MIT */
#include <weft/event.h>
#include <weft/semaphore.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/deadline.h"
#include "deadlock/watch.h"
#include "kernel_calls.h"
#include "sleepers.h"
#include "testing.h"

static weft_semaphore s;
static _Atomic unsigned acquired;
static _Atomic unsigned timed_out;

static void
set_up(uint32_t value, uint32_t max)
{
    ck_assert_int_eq(weft_semaphore_init(&s, value, max), WEFT_OK);
}

static unsigned
now_at(_Atomic unsigned *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void
await(_Atomic unsigned *count, unsigned n)
{
    while (now_at(count) < n)
        sched_yield();
}

static void *
acquire_one(void *deadline)
{
    const enum weft_status status =
        weft_semaphore_acquire(&s, *(weft_deadline *)deadline);

    atomic_fetch_add_explicit(status == WEFT_OK ? &acquired : &timed_out, 1,
                              memory_order_relaxed);
    return NULL;
}

/* Threads that wait for a unit each, asleep. */
static pthread_t waiters[6];
static weft_deadline forever = WEFT_FOREVER;

static void
start(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(
            pthread_create(&waiters[i], NULL, acquire_one, &forever), 0);
    await_sleepers(&s.wakes, n);
}

static void
join(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(pthread_join(waiters[i], NULL), 0);
}

/* A thread whose first call of the library this is goes the inline way next. */
static void *
acquire_and_wait(void *event)
{
    static weft_semaphore one;

    ck_assert_int_eq(weft_semaphore_init(&one, 1, 1), WEFT_OK);
    if (event != NULL)
        ck_assert_int_eq(weft_event_wait(event, WEFT_NOW), WEFT_TIMEOUT);
    else
        ck_assert_int_eq(weft_semaphore_acquire(&one, WEFT_NOW), WEFT_OK);
    ck_assert_uint_ne(WEFT_LOAD_(&weft_self_, relaxed), 0);
    return NULL;
}

START_TEST(test_a_thread_without_a_word_gets_one)
{
    static weft_event event;
    pthread_t t;

    weft_event_init(&event);
    ck_assert_int_eq(
        pthread_create(&t, NULL, acquire_and_wait, _i == 0 ? NULL : &event), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

START_TEST(test_init_refuses_a_value_above_max)
{
    static const weft_semaphore none;

    memset(&s, 0, sizeof(s));
    ck_assert_int_eq(weft_semaphore_init(&s, 4, 3), WEFT_INVALID);
    ck_assert_mem_eq(&s, &none, sizeof(s));
    ck_assert_int_eq(weft_semaphore_init(&s, 3, 3), WEFT_OK);
    ck_assert_uint_eq(weft_semaphore_value(&s), 3);
}
END_TEST

START_TEST(test_initializer_does_what_init_does)
{
    static weft_semaphore made = WEFT_SEMAPHORE_INIT(2, 5);

    set_up(2, 5);
    ck_assert_mem_eq(&made, &s, sizeof(s));
}
END_TEST

START_TEST(test_zero_bytes_are_a_semaphore_without_units_and_bound)
{
    memset(&s, 0, sizeof(s));
    ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_semaphore_release(&s, UINT32_MAX), WEFT_OK);
    ck_assert_uint_eq(weft_semaphore_value(&s), UINT32_MAX);
}
END_TEST

START_TEST(test_acquire_takes_what_there_is_and_no_more)
{
    set_up(3, 3);
    for (uint32_t left = 3; left-- > 0;) {
        ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_NOW), WEFT_OK);
        ck_assert_uint_eq(weft_semaphore_value(&s), left);
    }
    ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_uint_eq(weft_semaphore_value(&s), 0);
}
END_TEST

START_TEST(test_acquire_takes_a_unit_although_the_deadline_is_past)
{
    static const weft_deadline past[] = {WEFT_NOW, -1, INT64_MIN, 1};

    set_up(4, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(weft_semaphore_acquire(&s, past[i]), WEFT_OK);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(weft_semaphore_acquire(&s, past[i]), WEFT_TIMEOUT);
}
END_TEST

START_TEST(test_acquire_never_times_out_early)
{
    set_up(0, 1);
    for (int64_t span = 1; span < 100000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        ck_assert_int_eq(weft_semaphore_acquire(&s, d), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_FOREVER), WEFT_OK);
}
END_TEST

START_TEST(test_release_adds_n_at_once) /* S1 */
{
    set_up(1, 10);
    ck_assert_int_eq(weft_semaphore_release(&s, 4), WEFT_OK);
    ck_assert_uint_eq(weft_semaphore_value(&s), 5);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_uint_eq(weft_semaphore_value(&s), 6);
}
END_TEST

START_TEST(test_release_of_0_is_invalid) /* S1 */
{
    set_up(1, 1);
    ck_assert_int_eq(weft_semaphore_release(&s, 0), WEFT_INVALID);
    ck_assert_uint_eq(weft_semaphore_value(&s), 1);
}
END_TEST

START_TEST(test_release_wakes_up_to_n) /* S1 */
{
    set_up(0, WEFT_NO_MAX);
    start(5);
    ck_assert_int_eq(weft_semaphore_release(&s, 2), WEFT_OK);
    await(&acquired, 2);
    ck_assert_uint_eq(sleepers(&s.wakes), 3);
    ck_assert_uint_eq(now_at(&acquired), 2);
    ck_assert_int_eq(weft_semaphore_release(&s, 5), WEFT_OK);
    join(5);
    ck_assert_uint_eq(now_at(&acquired), 5);
    ck_assert_uint_eq(weft_semaphore_value(&s), 2);
}
END_TEST

START_TEST(test_release_past_max_is_overflow_and_adds_nothing) /* S2 */
{
    static const uint32_t max[] = {1, 7, UINT32_MAX - 1, WEFT_NO_MAX};

    set_up(max[_i] - 1, max[_i]);
    ck_assert_int_eq(weft_semaphore_release(&s, 2), WEFT_OVERFLOW);
    if (max[_i] > 1)
        ck_assert_int_eq(weft_semaphore_release(&s, UINT32_MAX), WEFT_OVERFLOW);
    ck_assert_uint_eq(weft_semaphore_value(&s), max[_i] - 1);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OVERFLOW);
    ck_assert_uint_eq(weft_semaphore_value(&s), max[_i]);
}
END_TEST

START_TEST(test_overflow_wakes_nobody)
{
    set_up(0, 1);
    start(2);
    ck_assert_int_eq(weft_semaphore_release(&s, 2), WEFT_OVERFLOW);
    ck_assert_uint_eq(sleepers(&s.wakes), 2);
    for (unsigned i = 1; i <= 2; i++) {
        ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
        await(&acquired, i);
    }
    join(2);
    ck_assert_uint_eq(weft_semaphore_value(&s), 0);
}
END_TEST

static void *
release_one(void *arg)
{
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    return arg;
}

START_TEST(test_any_thread_may_release) /* S3 */
{
    pthread_t other;

    set_up(1, 1);
    ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(pthread_create(&other, NULL, release_one, NULL), 0);
    ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(pthread_join(other, NULL), 0);
}
END_TEST

START_TEST(test_nobody_enters_the_kernel_when_nobody_sleeps)
{
    weft_deadline soon = weft_in_ms(1);

    set_up(0, WEFT_NO_MAX);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(weft_semaphore_release(&s, 3), WEFT_OK);
        for (int k = 0; k < 3; k++)
            ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_FOREVER), WEFT_OK);
        ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_NOW), WEFT_TIMEOUT);
    }
    ck_assert_uint_eq(kernel_calls, 0);

    /* Nor once a thread has slept and given up. */
    ck_assert_int_eq(weft_semaphore_acquire(&s, soon), WEFT_TIMEOUT);
    ck_assert_uint_eq(kernel_calls, 1);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_uint_eq(kernel_calls, 1);
}
END_TEST

/* On one CPU the woken thread does not run before the releases are over. */
START_TEST(test_who_was_woken_is_not_woken_again)
{
    have_one_cpu(true);
    set_up(0, WEFT_NO_MAX);
    start(2);
    const unsigned before = kernel_calls;
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_uint_le(kernel_calls, before + 2);
    join(2);
    ck_assert_uint_eq(weft_semaphore_value(&s), 98);
}
END_TEST

/* A thread that runs only when this one does not. */
static void *
acquire_one_idly(void *arg)
{
    static const struct sched_param none = {0};

    ck_assert_int_eq(pthread_setschedparam(pthread_self(), SCHED_IDLE, &none),
                     0);
    return acquire_one(arg);
}

static int64_t patience_ms; /* of a thread that is to starve; 0: no end */

/* Return when waiters[0] sleeps there; false: it has timed out. */
static bool
see_asleep(const void *word)
{
    while (sleepers(word) != 1) {
        if (now_at(&timed_out) > 0)
            return false;
        sched_yield();
    }
    return true;
}

/* Wake waiters[0] for nothing; false: it was faster, or has timed out. */
static bool
disappoint(void)
{
    if (!see_asleep(&s.wakes))
        return false;
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    return weft_semaphore_acquire(&s, WEFT_NOW) == WEFT_OK;
}

/* Make waiters[0] starve: it wakes for nothing, and so again 1 ms later. */
static void
starve(void)
{
    have_one_cpu(true);
    for (;;) {
        set_up(0, 1);
        if (patience_ms > 0)
            forever = weft_in_ms(patience_ms *= 2);
        ck_assert_int_eq(
            pthread_create(&waiters[0], NULL, acquire_one_idly, &forever), 0);
        bool starves = disappoint();
        if (starves && see_asleep(&s.wakes)) {
            const int64_t later_ns = weft_clock_ns_() + 1100000;
            while (weft_clock_ns_() < later_ns)
                sched_yield();
            starves = disappoint();
        }
        if (starves && see_asleep(&s.handed))
            return;
        join(1);
        atomic_store_explicit(&acquired, 0, memory_order_relaxed);
        atomic_store_explicit(&timed_out, 0, memory_order_relaxed);
    }
}

START_TEST(test_a_starved_thread_is_handed_the_next_unit)
{
    starve();
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_acquire(&s, WEFT_NOW), WEFT_TIMEOUT);
    join(1);
    ck_assert_uint_eq(now_at(&acquired), 1);
    ck_assert_uint_eq(weft_semaphore_value(&s), 0);

    /* And all is as it was. */
    start(1);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    join(1);
    ck_assert_uint_eq(now_at(&acquired), 2);
}
END_TEST

START_TEST(test_a_unit_set_aside_counts_against_max)
{
    starve();
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    if (now_at(&acquired) == 0) /* the other thread has not run yet */
        ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OVERFLOW);
    join(1);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_uint_eq(weft_semaphore_value(&s), 1);
}
END_TEST

START_TEST(test_a_starved_thread_that_is_cancelled_leaves_no_trace)
{
    starve();
    if (_i == 1) /* with the unit that was set aside for it */
        ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_int_eq(pthread_cancel(waiters[0]), 0);
    join(1);
    if (now_at(&acquired) == 0)
        ck_assert_uint_eq(weft_semaphore_value(&s), (unsigned)_i);
    ck_assert_uint_eq(s.word >> 32, 0);
    ck_assert_uint_eq(s.handed, 0);
    ck_assert_uint_eq(s.wakes, 0);
}
END_TEST

START_TEST(test_a_starved_thread_may_time_out)
{
    patience_ms = 100;
    starve();
    join(1);
    ck_assert_uint_eq(now_at(&timed_out), 1);
    ck_assert_int_ge(weft_clock_ns_(), forever);
    ck_assert_int_eq(weft_semaphore_release(&s, 1), WEFT_OK);
    ck_assert_uint_eq(s.word, 1);
}
END_TEST

START_TEST(test_the_wait_shows)
{
    /* The record says what the thread waits for, and that it no longer does. */
    struct weft_self *record = weft_self_get_();

    set_up(0, 1);
    const uint64_t before = record->waits;
    ck_assert_int_eq(weft_semaphore_acquire(&s, weft_in_ms(1)), WEFT_TIMEOUT);
    ck_assert_uint_eq(record->waits, before + 2);
    ck_assert_int_eq(record->waits_kind, WEFT_KIND_SEMAPHORE);
    ck_assert_ptr_null(record->waits_for);
}
END_TEST

#define ONE_SLEEPER ((uint64_t)1 << 32)
#define ONE_COMING  ((uint64_t)1 << 58)

/* A release has granted another thread a wake-up, which has used it up and
 * stopped before it looks. */
START_TEST(test_who_times_out_takes_a_unit_that_another_is_coming_for)
{
    for (unsigned ms = 10;; ms *= 2) {
        weft_deadline end = weft_in_ms(ms);
        uint64_t w = ONE_SLEEPER;
        set_up(0, 5);
        ck_assert_int_eq(pthread_create(&waiters[0], NULL, acquire_one, &end),
                         0);
        while (s.word != w && weft_clock_ns_() < end)
            sched_yield();
        const bool in_time = atomic_compare_exchange_strong(
            &s.word, &w, ONE_SLEEPER + ONE_COMING + 1);
        join(1);
        if (in_time)
            break; /* else it timed out before, on a busy machine */
    }
    ck_assert_uint_eq(acquired, 1);
    ck_assert_uint_eq(s.word, ONE_COMING);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_thread_without_a_word_gets_one, 2},
        {&test_init_refuses_a_value_above_max, 1},
        {&test_initializer_does_what_init_does, 1},
        {&test_zero_bytes_are_a_semaphore_without_units_and_bound, 1},
        {&test_acquire_takes_what_there_is_and_no_more, 1},
        {&test_acquire_takes_a_unit_although_the_deadline_is_past, 1},
        {&test_acquire_never_times_out_early, 1},
        {&test_release_adds_n_at_once, 1},
        {&test_release_of_0_is_invalid, 1},
        {&test_release_wakes_up_to_n, 1},
        {&test_release_past_max_is_overflow_and_adds_nothing, 4},
        {&test_overflow_wakes_nobody, 1},
        {&test_any_thread_may_release, 1},
        {&test_nobody_enters_the_kernel_when_nobody_sleeps, 1},
        {&test_who_was_woken_is_not_woken_again, 1},
        {&test_a_starved_thread_is_handed_the_next_unit, 1},
        {&test_a_unit_set_aside_counts_against_max, 1},
        {&test_a_starved_thread_that_is_cancelled_leaves_no_trace, 2},
        {&test_a_starved_thread_may_time_out, 1},
        {&test_the_wait_shows, 1},
        {&test_who_times_out_takes_a_unit_that_another_is_coming_for, 1},
    };

    return run_tests("semaphore", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

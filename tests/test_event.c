/* SPDX-License-Identifier: MIT */
#include <weft/event.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "deadlock/watch.h"
#include "kernel_calls.h"
#include "sleepers.h"
#include "testing.h"

#define WAITERS 5

static weft_event e;
static _Atomic unsigned released;
static pthread_t waiters[WAITERS];

static void *
wait_forever(void *arg)
{
    ck_assert_int_eq(weft_event_wait(&e, WEFT_FOREVER), WEFT_OK);
    atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
    return arg;
}

static void
start(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&waiters[i], NULL, wait_forever, NULL),
                         0);
    await_sleepers(&e, n);
}

static void
join(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(pthread_join(waiters[i], NULL), 0);
}

START_TEST(test_zero_bytes_and_init_are_an_event_that_is_not_set)
{
    static weft_event made = WEFT_EVENT_INIT;

    ck_assert(!weft_event_is_set(&e));
    ck_assert(!weft_event_is_set(&made));
    weft_event_set(&e);
    weft_event_init(&e);
    ck_assert(!weft_event_is_set(&e));
}
END_TEST

START_TEST(test_set_and_clear_may_be_repeated)
{
    for (int i = 0; i < 3; i++) {
        weft_event_set(&e);
        weft_event_set(&e);
        ck_assert(weft_event_is_set(&e));
        weft_event_clear(&e);
        weft_event_clear(&e);
        ck_assert(!weft_event_is_set(&e));
    }
}
END_TEST

START_TEST(test_wait_on_a_set_event_returns_at_once) /* E2 */
{
    static const weft_deadline any[] = {WEFT_NOW, -1, INT64_MIN, 1,
                                        WEFT_FOREVER};

    weft_event_set(&e);
    for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
        ck_assert_int_eq(weft_event_wait(&e, any[i]), WEFT_OK);
    ck_assert_int_eq(weft_event_wait(&e, weft_in_s(1000)), WEFT_OK);
    ck_assert(weft_event_is_set(&e));
    ck_assert_uint_eq(kernel_calls, 0);
}
END_TEST

START_TEST(test_wait_on_a_clear_event_tries_with_a_past_deadline)
{
    static const weft_deadline past[] = {WEFT_NOW, -1, INT64_MIN, 1};

    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
        ck_assert_int_eq(weft_event_wait(&e, past[i]), WEFT_TIMEOUT);
}
END_TEST

START_TEST(test_wait_never_times_out_early)
{
    for (int64_t span = 1; span < 100000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        ck_assert_int_eq(weft_event_wait(&e, d), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
}
END_TEST

START_TEST(test_set_wakes_every_waiting_thread)
{
    start(WAITERS);
    weft_event_set(&e);
    join(WAITERS);
    ck_assert_int_eq(weft_event_wait(&e, WEFT_NOW), WEFT_OK);
}
END_TEST

START_TEST(test_set_followed_by_clear_wakes_every_waiting_thread) /* E1 */
{
    have_one_cpu(_i == 1); /* then they run only after the clear */
    for (int round = 0; round < 20; round++) {
        start(WAITERS);
        weft_event_set(&e);
        weft_event_clear(&e);
        join(WAITERS);
        ck_assert(!weft_event_is_set(&e));
        ck_assert_int_eq(weft_event_wait(&e, WEFT_NOW), WEFT_TIMEOUT);
    }
}
END_TEST

START_TEST(test_many_sets_and_clears_release_a_waiter_too)
{
    have_one_cpu(true);
    start(WAITERS);
    for (int i = 0; i < 1000; i++) {
        weft_event_set(&e);
        weft_event_clear(&e);
    }
    join(WAITERS);
}
END_TEST

START_TEST(test_who_comes_after_clear_waits)
{
    weft_event_set(&e);
    weft_event_clear(&e);
    start(1);
    ck_assert_uint_eq(released, 0);
    weft_event_clear(&e);
    ck_assert_uint_eq(sleepers(&e), 1);
    weft_event_set(&e);
    join(1);
}
END_TEST

START_TEST(test_set_enters_the_kernel_only_if_somebody_waits)
{
    for (int i = 0; i < 100; i++) {
        weft_event_set(&e);
        weft_event_set(&e);
        weft_event_clear(&e);
    }
    ck_assert_uint_eq(kernel_calls, 0);

    /* Nor after a thread has given up. */
    ck_assert_int_eq(weft_event_wait(&e, weft_in_ms(1)), WEFT_TIMEOUT);
    ck_assert_uint_eq(kernel_calls, 1);
    weft_event_set(&e);
    ck_assert_uint_eq(kernel_calls, 1);
    weft_event_clear(&e);
    ck_assert_uint_eq(kernel_calls, 1);
}
END_TEST

START_TEST(test_set_wakes_all_with_one_system_call)
{
    start(WAITERS);
    const unsigned before = kernel_calls;
    weft_event_set(&e);
    ck_assert_uint_eq(kernel_calls, before + 1);
    weft_event_set(&e);
    ck_assert_uint_eq(kernel_calls, before + 1);
    join(WAITERS);
}
END_TEST

START_TEST(test_a_cancelled_waiter_leaves_no_trace)
{
    start(WAITERS);
    for (unsigned i = 0; i < WAITERS; i += 2)
        ck_assert_int_eq(pthread_cancel(waiters[i]), 0);
    for (unsigned i = 0; i < WAITERS; i += 2) {
        void *result;
        ck_assert_int_eq(pthread_join(waiters[i], &result), 0);
        ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    }
    ck_assert_uint_eq(sleepers(&e), WAITERS / 2);
    ck_assert_uint_eq(e.word >> 32, WAITERS / 2);
    weft_event_set(&e);
    for (unsigned i = 1; i < WAITERS; i += 2)
        ck_assert_int_eq(pthread_join(waiters[i], NULL), 0);
    ck_assert_uint_eq(e.word >> 32, 0);
}
END_TEST

START_TEST(test_the_wait_shows)
{
    struct weft_self *record = weft_self_get_();
    const uint64_t before = record->waits;

    ck_assert_int_eq(weft_event_wait(&e, weft_in_ms(1)), WEFT_TIMEOUT);
    ck_assert_uint_eq(record->waits, before + 2);
    ck_assert_int_eq(record->waits_kind, WEFT_KIND_EVENT);
    ck_assert_ptr_null(record->waits_for);
}
END_TEST

/* Many threads wait, for ever or shortly, some are cancelled, while one sets
 * and clears: nobody stays behind, and what was written is seen. */
#define ROUNDS 3000

static _Atomic bool stop;
static _Atomic uint64_t written; /* relaxed: the event orders it */

static void *
wait_somehow(void *seed)
{
    uint64_t random = *(uint64_t *)seed;
    uint64_t last = 0;

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const int64_t span = (int64_t)(random >> 50);
        const bool forever = span % 2 == 0;
        const enum weft_status s =
            weft_event_wait(&e, forever ? WEFT_FOREVER : weft_in_ns(span));
        must(s == WEFT_OK || (s == WEFT_TIMEOUT && !forever));
        const uint64_t seen =
            atomic_load_explicit(&written, memory_order_relaxed);
        must(seen >= last);
        last = seen;
    }
    return NULL;
}

START_TEST(test_no_wakeup_is_lost)
{
    uint64_t seed[WAITERS];

    have_one_cpu(_i == 1);
    weft_watch_enable_(_i == 2);
    for (unsigned i = 0; i < WAITERS; i++) {
        seed[i] = i;
        pthread_create(&waiters[i], NULL, wait_somehow, &seed[i]);
    }
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        atomic_store_explicit(&written, i, memory_order_relaxed);
        weft_event_set(&e);
        weft_event_clear(&e);
        if (i % 16 == 0)
            sched_yield();
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    weft_event_set(&e);
    join(WAITERS);
    ck_assert_uint_eq(e.word >> 32, 0);
}
END_TEST

/* What is plain is published by the set, also by the second one. */
static uint64_t plain[2];
static _Atomic unsigned wrote;

static void *
write_and_set(void *which)
{
    plain[*(int *)which] = 42;
    weft_event_set(&e);
    atomic_fetch_add_explicit(&wrote, 1, memory_order_relaxed);
    return NULL;
}

START_TEST(test_every_set_publishes)
{
    static int which[2] = {0, 1};
    pthread_t writer[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&writer[i], NULL, write_and_set, &which[i]);
    while (atomic_load_explicit(&wrote, memory_order_relaxed) < 2)
        sched_yield();
    must(weft_event_wait(&e, WEFT_FOREVER) == WEFT_OK);
    ck_assert_uint_eq(plain[0] + plain[1], 84); /* ThreadSanitizer looks */
    for (int i = 0; i < 2; i++)
        pthread_join(writer[i], NULL);
}
END_TEST

/* Whoever is released may free it while the set still runs. */
static _Atomic(weft_event *) request;

static void *
answer(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        weft_event *r;
        while ((r = atomic_exchange_explicit(&request, NULL,
                                             memory_order_acquire)) == NULL)
            sched_yield();
        for (int k = 0; k < i % 4; k++)
            sched_yield();
        weft_event_set(r);
    }
    return arg;
}

START_TEST(test_who_is_released_may_free_it)
{
    pthread_t other;

    have_one_cpu(_i == 1);
    pthread_create(&other, NULL, answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        weft_event *r = calloc(1, sizeof(*r));
        ck_assert_ptr_nonnull(r);
        atomic_store_explicit(&request, r, memory_order_release);
        must(weft_event_wait(r, WEFT_FOREVER) == WEFT_OK);
        free(r);
    }
    pthread_join(other, NULL);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_zero_bytes_and_init_are_an_event_that_is_not_set, 1},
        {&test_set_and_clear_may_be_repeated, 1},
        {&test_wait_on_a_set_event_returns_at_once, 1},
        {&test_wait_on_a_clear_event_tries_with_a_past_deadline, 1},
        {&test_wait_never_times_out_early, 1},
        {&test_set_wakes_every_waiting_thread, 1},
        {&test_set_followed_by_clear_wakes_every_waiting_thread, 2},
        {&test_many_sets_and_clears_release_a_waiter_too, 1},
        {&test_who_comes_after_clear_waits, 1},
        {&test_set_enters_the_kernel_only_if_somebody_waits, 1},
        {&test_set_wakes_all_with_one_system_call, 1},
        {&test_a_cancelled_waiter_leaves_no_trace, 1},
        {&test_the_wait_shows, 1},
        {&test_no_wakeup_is_lost, 3},
        {&test_every_set_publishes, 1},
        {&test_who_is_released_may_free_it, 2},
    };

    return run_tests("event", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
#include "base/park.h"

#include <pthread.h>
#include <sched.h>

#include "base/deadline.h"
#include "sleepers.h"
#include "testing.h"

/* The waits behind one interface: variant 0 is a word, 1 half of 64 bits. */
#define WAYS 2

static _Atomic uint32_t word;
static _Atomic uint64_t wide;
static _Atomic unsigned handled;
static _Atomic bool go;

static const void *
place(int way)
{
    if (way == 0)
        return &word;
    return &wide;
}

static enum weft_status
wait_once(int way, weft_deadline deadline)
{
    return way == 0 ? weft_park_wait_cancel_(&word, 0, deadline)
                    : weft_park_wait_cancel64_(&wide, 0, deadline);
}

static void
change_and_wake(int way)
{
    if (way == 0) {
        atomic_store_explicit(&word, 1, memory_order_relaxed);
        weft_park_wake_all_(&word);
    } else {
        atomic_store_explicit(&wide, 1, memory_order_relaxed);
        weft_park_wake_all64_(&wide);
    }
}

struct sleeper {
    pthread_t thread;
    int way;
    bool disabled; /* its cancel state */
    bool after_go; /* it waits only then */
    weft_deadline deadline;
    enum weft_status status;
};

static void
handle(void *arg)
{
    (void)arg;
    atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
}

WEFT_LEFT_WHEN_CANCELLED_ static void *
run(void *arg)
{
    struct sleeper *s = arg;

    if (s->disabled)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    while (s->after_go && !atomic_load_explicit(&go, memory_order_relaxed))
        sched_yield();
    pthread_cleanup_push(handle, NULL);
    s->status = wait_once(s->way, s->deadline);
    pthread_cleanup_pop(0);
    return NULL;
}

static void
start(struct sleeper *s)
{
    s->status = WEFT_INVALID;
    ck_assert_int_eq(pthread_create(&s->thread, NULL, run, s), 0);
    if (!s->after_go)
        await_sleepers(place(s->way), 1);
}

static bool
was_cancelled(struct sleeper *s)
{
    void *result;

    ck_assert_int_eq(pthread_join(s->thread, &result), 0);
    return result == PTHREAD_CANCELED;
}

START_TEST(test_cancel_ends_a_sleep_through_the_handler)
{
    struct sleeper s = {.way = _i, .deadline = WEFT_FOREVER};

    start(&s);
    ck_assert_int_eq(pthread_cancel(s.thread), 0);
    ck_assert(was_cancelled(&s));
    ck_assert_uint_eq(handled, 1);
    ck_assert_uint_eq(sleepers(place(_i)), 0);
}
END_TEST

START_TEST(test_a_pending_cancel_acts_at_entry)
{
    static const weft_deadline when[] = {WEFT_FOREVER, WEFT_NOW};

    for (unsigned i = 0; i < 2; i++) {
        struct sleeper s = {.way = _i, .after_go = true, .deadline = when[i]};
        atomic_store_explicit(&go, false, memory_order_relaxed);
        start(&s);
        ck_assert_int_eq(pthread_cancel(s.thread), 0);
        atomic_store_explicit(&go, true, memory_order_relaxed);
        ck_assert(was_cancelled(&s));
        ck_assert_uint_eq(handled, i + 1);
    }
}
END_TEST

START_TEST(test_where_cancel_is_disabled_the_wait_goes_on)
{
    struct sleeper s = {.way = _i, .disabled = true, .deadline = WEFT_FOREVER};

    start(&s);
    ck_assert_int_eq(pthread_cancel(s.thread), 0);
    ck_assert_uint_eq(sleepers(place(_i)), 1);
    change_and_wake(_i);
    ck_assert(!was_cancelled(&s));
    ck_assert_int_eq(s.status, WEFT_OK);
    ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(test_otherwise_it_is_an_ordinary_wait)
{
    struct sleeper s = {.way = _i, .deadline = WEFT_FOREVER};
    int type;

    for (int64_t span = 1; span < 100000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        ck_assert_int_eq(wait_once(_i, d), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
    ck_assert_int_eq(wait_once(_i, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(wait_once(_i, 1), WEFT_TIMEOUT);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
    ck_assert_int_eq(type, PTHREAD_CANCEL_DEFERRED);

    start(&s);
    change_and_wake(_i);
    ck_assert(!was_cancelled(&s));
    ck_assert_int_eq(s.status, WEFT_OK);
    ck_assert_int_eq(wait_once(_i, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(wait_once(_i, WEFT_FOREVER), WEFT_OK);
}
END_TEST

START_TEST(test_only_the_low_half_of_64_bits_counts)
{
    atomic_store_explicit(&wide, UINT64_C(7) << 32, memory_order_relaxed);
    ck_assert_int_eq(wait_once(1, weft_in_ms(1)), WEFT_TIMEOUT);
    ck_assert_int_eq(wait_once(1, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_park_wait_cancel64_(&wide, 1, WEFT_FOREVER), WEFT_OK);
    ck_assert(!weft_park_spin64_(&wide, UINT32_MAX, 0));
    ck_assert_int_eq(weft_park_spin64_(&wide, UINT32_MAX, 1),
                     weft_cpu_count() > 1);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_cancel_ends_a_sleep_through_the_handler, WAYS},
        {&test_a_pending_cancel_acts_at_entry, WAYS},
        {&test_where_cancel_is_disabled_the_wait_goes_on, WAYS},
        {&test_otherwise_it_is_an_ordinary_wait, WAYS},
        {&test_only_the_low_half_of_64_bits_counts, 1},
    };

    return run_tests("park_cancel", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

/* SPDX-License-Identifier: MIT */
/*
 * weft_rwlock under many threads at random: no reader sees half of a write,
 * writers are alone, deadlines lose no wake-up, nobody starves.
 */
#include <weft/rwlock.h>

#include <pthread.h>

#include "base/deadline.h"
#include "base/park.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "waiting.h"

#define THREADS 6

static weft_rwlock lock;
static uint64_t pair[2]; /* plain: equal outside a write */
static unsigned turns;
static unsigned write_percent;
static bool in_time; /* with deadlines */
static _Atomic uint64_t written;
static _Atomic uint64_t timeouts;

/* The ways to run it. */
enum way { USUAL, ONE_CPU, WATCHED, WAYS };

static void
go(int way)
{
    if (way == ONE_CPU) {
        cpu_set_t mask;
        cpu_set_t first;
        size_t cpu = 0;
        ck_assert_int_eq(sched_getaffinity(0, sizeof(mask), &mask), 0);
        while (!CPU_ISSET(cpu, &mask))
            cpu++;
        CPU_ZERO(&first);
        CPU_SET(cpu, &first);
        ck_assert_int_eq(sched_setaffinity(0, sizeof(first), &first), 0);
        weft_park_recount_();
    }
    weft_watch_enable_(way == WATCHED);
}

static uint32_t
draw(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static weft_deadline
some_deadline(uint32_t *x)
{
    if (!in_time)
        return WEFT_FOREVER;
    const uint32_t d = draw(x);
    return d % 8 == 0 ? WEFT_NOW : weft_in_us(d % 100);
}

/* Inside, now and then give the CPU away, so that others come to wait. */
static void
linger(uint32_t *x)
{
    if (draw(x) % 64 == 0)
        sched_yield();
}

static void
write_once(uint32_t *x)
{
    const enum weft_status s =
        weft_rwlock_write_lock_until(&lock, some_deadline(x));

    if (s != WEFT_OK) {
        ck_assert_int_eq(s, WEFT_TIMEOUT);
        atomic_fetch_add_explicit(&timeouts, 1, memory_order_relaxed);
        return;
    }
    const uint64_t was = pair[0]++;
    linger(x);
    ck_assert_uint_eq(pair[1]++, was);
    atomic_fetch_add_explicit(&written, 1, memory_order_relaxed);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_OK);
}

static void
read_once(uint32_t *x)
{
    enum weft_status s =
        in_time ? weft_rwlock_read_lock_until(&lock, some_deadline(x))
                : weft_rwlock_read_lock(&lock);

    if (s != WEFT_OK) {
        ck_assert_int_eq(s, WEFT_TIMEOUT);
        atomic_fetch_add_explicit(&timeouts, 1, memory_order_relaxed);
        return;
    }
    const uint64_t seen = pair[0];
    if (draw(x) % 16 == 0) { /* once more */
        ck_assert_int_eq(weft_rwlock_read_lock(&lock), WEFT_OK);
        linger(x);
        ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_OK);
    }
    linger(x);
    ck_assert_uint_eq(pair[1], seen);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_OK);
}

static void *
read_and_write(void *number)
{
    uint32_t x = 2463534242u + 77777u * (uint32_t)(uintptr_t)number;

    for (unsigned i = 0; i < turns; i++)
        if (draw(&x) % 100 < write_percent)
            write_once(&x);
        else
            read_once(&x);
    return NULL;
}

static void
run_threads(void)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_and_write,
                                        (void *)(uintptr_t)i),
                         0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_eq(pair[0], written);
    ck_assert_int_eq(weft_rwlock_write_lock_until(&lock, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_OK);
    ck_assert_uint_eq(lock.word & ~6u, 0); /* but for stale sleep flags */
}

START_TEST(test_no_reader_sees_half_a_write)
{
    static const unsigned percents[] = {50, 10, 1};

    go(_i);
    for (size_t i = 0; i < 3; i++) {
        write_percent = percents[i];
        turns = 4000;
        run_threads();
    }
}
END_TEST

START_TEST(test_no_reader_on_its_line_sees_half_a_write)
{
    go(_i);
    write_percent = 0;
    for (int round = 0; round < 20; round++) {
        turns = 500; /* for the lines to come into use ... */
        run_threads();
        turns = 500;
        write_percent = 1; /* ... and be taken back meanwhile */
        run_threads();
        write_percent = 0;
    }
}
END_TEST

START_TEST(test_a_storm_of_deadlines_loses_no_wake_up)
{
    static const unsigned percents[] = {50, 5, 0};

    go(_i);
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < 3; i++) {
            write_percent = percents[i];
            turns = 1000;
            in_time = true;
            run_threads();
            in_time = false;
            turns = 300;
            run_threads();
        }
}
END_TEST

/* Others come and go without end until one of the other kind has had its
 * turns. */
static _Atomic bool enough;

static void *
come_and_go(void *writes)
{
    while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
        if (writes != NULL) {
            ck_assert_int_eq(weft_rwlock_write_lock(&lock), WEFT_OK);
            sched_yield();
            ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_OK);
        } else {
            ck_assert_int_eq(weft_rwlock_read_lock(&lock), WEFT_OK);
            sched_yield();
            ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_OK);
        }
    }
    return NULL;
}

static void
run_against(bool writers)
{
    pthread_t others[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&others[i], NULL, come_and_go,
                                        writers ? &lock : NULL),
                         0);
    for (int i = 0; i < 100; i++) {
        if (writers) {
            ck_assert_int_eq(weft_rwlock_read_lock(&lock), WEFT_OK);
            ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_OK);
        } else {
            ck_assert_int_eq(weft_rwlock_write_lock(&lock), WEFT_OK);
            ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_OK);
        }
    }
    atomic_store_explicit(&enough, true, memory_order_relaxed);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(others[i], NULL), 0);
}

START_TEST(test_a_writer_does_not_starve_behind_readers)
{
    go(_i);
    run_against(false);
}
END_TEST

START_TEST(test_a_reader_does_not_starve_behind_writers)
{
    go(_i);
    run_against(true);
}
END_TEST

static void *
read_some(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(weft_rwlock_read_lock(&lock), WEFT_OK);
        ck_assert_uint_eq(pair[0], pair[1]);
        ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_OK);
    }
    return NULL;
}

START_TEST(test_threads_that_come_and_end_are_seen_by_a_writer)
{
    go(_i);
    for (int round = 0; round < 200; round++) {
        pthread_t t[3];
        for (size_t i = 0; i < 3; i++)
            ck_assert_int_eq(pthread_create(&t[i], NULL, read_some, NULL), 0);
        ck_assert_int_eq(weft_rwlock_write_lock(&lock), WEFT_OK);
        pair[0]++;
        pair[1]++;
        ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_OK);
        for (size_t i = 0; i < 3; i++)
            ck_assert_int_eq(pthread_join(t[i], NULL), 0);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_no_reader_sees_half_a_write, WAYS},
        {&test_no_reader_on_its_line_sees_half_a_write, WAYS},
        {&test_a_storm_of_deadlines_loses_no_wake_up, WAYS},
        {&test_a_writer_does_not_starve_behind_readers, WAYS},
        {&test_a_reader_does_not_starve_behind_writers, WAYS},
        {&test_threads_that_come_and_end_are_seen_by_a_writer, WAYS},
    };

    return run_tests("rwlock threads", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}

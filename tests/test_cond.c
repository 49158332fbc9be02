/* SPDX-License-Identifier: MIT */
#include <weft/cond.h>

#include <pthread.h>
#include <sched.h>

#include "base/deadline.h"
#include "base/self.h"
#include "deadlock/watch.h"
#include "kernel_calls.h"
#include "sleepers.h"
#include "testing.h"

/* Every test is run with both locks: 0 a weft_mutex, 1 a weft_rmutex. */
#define LOCKS   2
#define WAITERS 5

static weft_mutex plain;
static weft_rmutex deep;
static weft_cond c;
static int lock_kind;
static uint32_t waiting; /* the rest belongs to who holds the lock */
static unsigned told;
static unsigned timed_out;
static unsigned order[WAITERS];

static void
set_up(int kind)
{
    lock_kind = kind;
    if (kind == 0)
        weft_cond_init(&c, &plain);
    else
        weft_cond_init_r(&c, &deep);
}

static void
lock(void)
{
    ck_assert_int_eq(lock_kind == 0 ? weft_mutex_lock(&plain)
                                    : weft_rmutex_lock(&deep),
                     WEFT_OK);
}

static void
unlock(void)
{
    ck_assert_int_eq(lock_kind == 0 ? weft_mutex_unlock(&plain)
                                    : weft_rmutex_unlock(&deep),
                     WEFT_OK);
}

static bool
is_mine(void)
{
    return (lock_kind == 0 ? weft_mutex_owner(&plain)
                           : weft_rmutex_owner(&deep)) == weft_self_id_();
}

/* Where threads sleep that wait for the lock. */
static const void *
lock_word(void)
{
    return lock_kind == 0 ? &plain.word : &deep.mutex.word;
}

struct thread {
    pthread_t thread;
    unsigned number;
    weft_deadline deadline;
    bool mine_at_cleanup;
};

static struct thread threads[WAITERS];

static void
clean_up(void *arg)
{
    ((struct thread *)arg)->mine_at_cleanup = is_mine();
    unlock();
}

static void *
wait_once(void *arg)
{
    struct thread *t = arg;

    lock();
    pthread_cleanup_push(clean_up, t);
    waiting++;
    const enum weft_status s = weft_cond_wait(&c, t->deadline);
    ck_assert(is_mine());
    if (s == WEFT_OK)
        order[told++] = t->number;
    else
        timed_out++;
    pthread_cleanup_pop(1);
    return NULL;
}

/* Start one that waits, and return when it does. */
static void
start_one(unsigned i, weft_deadline deadline)
{
    uint32_t now = 0;

    threads[i].number = i;
    threads[i].deadline = deadline;
    ck_assert_int_eq(
        pthread_create(&threads[i].thread, NULL, wait_once, &threads[i]), 0);
    while (now <= i) {
        sched_yield();
        lock();
        now = waiting;
        unlock();
    }
}

static void
start(unsigned n, weft_deadline deadline)
{
    for (unsigned i = 0; i < n; i++)
        start_one(i, deadline);
}

static void
join_one(unsigned i)
{
    ck_assert_int_eq(pthread_join(threads[i].thread, NULL), 0);
}

static void
join(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        join_one(i);
}

static void
notify(size_t n)
{
    lock();
    ck_assert_int_eq(weft_cond_notify(&c, n), WEFT_OK);
    unlock();
}

static unsigned calls;

static bool
holds(void *ctx)
{
    (void)ctx;
    calls++;
    return true;
}

static void *
hold_the_lock(void *held)
{
    lock();
    atomic_store_explicit((_Atomic int *)held, 1, memory_order_relaxed);
    while (atomic_load_explicit((_Atomic int *)held, memory_order_relaxed) != 2)
        sched_yield();
    unlock();
    return NULL;
}

static void
check_not_owner(void)
{
    ck_assert_int_eq(weft_cond_wait(&c, WEFT_FOREVER), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_cond_wait(&c, WEFT_NOW), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_cond_wait_for(&c, holds, &calls, WEFT_FOREVER),
                     WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_cond_notify(&c, 1), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_cond_notify_all(&c), WEFT_NOT_OWNER);
    ck_assert_uint_eq(calls, 0);
}

START_TEST(test_wait_or_notify_without_the_lock_is_not_owner) /* C1 */
{
    _Atomic int held = 0;
    pthread_t other;

    set_up(_i);
    check_not_owner();
    pthread_create(&other, NULL, hold_the_lock, &held);
    while (atomic_load_explicit(&held, memory_order_relaxed) == 0)
        sched_yield();
    check_not_owner();
    atomic_store_explicit(&held, 2, memory_order_relaxed);
    pthread_join(other, NULL);
    check_not_owner();
}
END_TEST

START_TEST(test_not_owner_tells_nobody) /* C1 */
{
    set_up(_i);
    start(1, WEFT_FOREVER);
    ck_assert_int_eq(weft_cond_notify(&c, 1), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_cond_notify_all(&c), WEFT_NOT_OWNER);
    lock();
    ck_assert_uint_eq(told, 0);
    ck_assert_ptr_eq(c.waiting, c.first);
    ck_assert_ptr_nonnull(c.first);
    unlock();
    notify(1);
    join(1);
    ck_assert_uint_eq(told, 1);
}
END_TEST

static void *
wait_deep(void *arg)
{
    const uint32_t depth = *(uint32_t *)arg;

    for (uint32_t i = 0; i < depth; i++)
        lock();
    waiting++;
    ck_assert_int_eq(weft_cond_wait(&c, WEFT_FOREVER), WEFT_OK);
    ck_assert_uint_eq(weft_rmutex_depth(&deep), depth);
    ck_assert_int_eq(weft_cond_wait(&c, weft_in_ms(1)), WEFT_TIMEOUT);
    ck_assert_uint_eq(weft_rmutex_depth(&deep), depth);
    for (uint32_t i = 0; i < depth; i++)
        unlock();
    ck_assert_uint_eq(weft_rmutex_depth(&deep), 0);
    return NULL;
}

START_TEST(test_wait_gives_up_an_rmutex_as_a_whole_and_restores_it) /* C2 */
{
    uint32_t depth = (uint32_t)_i * 3 + 1;
    bool waits = false;
    pthread_t other;

    set_up(1);
    pthread_create(&other, NULL, wait_deep, &depth);
    while (!waits) {
        sched_yield();
        lock();
        waits = waiting > 0;
        unlock();
    }
    lock(); /* told from deep inside, woken by the last unlock */
    lock();
    ck_assert_int_eq(weft_cond_notify(&c, 1), WEFT_OK);
    unlock();
    ck_assert_uint_eq(weft_rmutex_depth(&deep), 1);
    unlock();
    pthread_join(other, NULL);
}
END_TEST

START_TEST(test_timeout_is_never_early_and_holds_the_lock) /* C3 */
{
    set_up(_i);
    lock();
    for (int64_t span = 1; span < 100000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        ck_assert_int_eq(weft_cond_wait(&c, d), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
        ck_assert(is_mine());
    }
    ck_assert_ptr_null(c.first);
    ck_assert_ptr_null(c.waiting);
    unlock();
}
END_TEST

START_TEST(test_wait_with_a_past_deadline_is_a_try)
{
    static const weft_deadline past[] = {WEFT_NOW, -1, INT64_MIN, 1};

    set_up(_i);
    lock();
    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
        ck_assert_int_eq(weft_cond_wait(&c, past[i]), WEFT_TIMEOUT);
        ck_assert(is_mine());
    }
    unlock();
}
END_TEST

/* Start as many whose deadline is near, the first `patient` of them without
 * one, and return with the lock while none has come back. */
static void
start_in_a_hurry(unsigned n, unsigned patient)
{
    for (int64_t ms = 20;; ms *= 3) {
        const weft_deadline near = weft_in_ms(ms);
        waiting = 0;
        told = 0;
        timed_out = 0;
        for (unsigned i = 0; i < n; i++)
            start_one(i, i < patient ? WEFT_FOREVER : near);
        lock();
        if (timed_out == 0)
            return;
        ck_assert_int_eq(weft_cond_notify_all(&c), WEFT_OK);
        unlock();
        join(n);
    }
}

/* Their deadline passes while another has the lock; then some are told. */
START_TEST(test_timeout_means_not_told) /* C3 */
{
    set_up(_i);
    start_in_a_hurry(4, 0);
    await_sleepers(lock_word(), 4); /* they want the lock back */
    ck_assert_int_eq(weft_cond_notify(&c, 3), WEFT_OK);
    unlock();
    join(4);
    ck_assert_uint_eq(told, 3);
    ck_assert_uint_eq(timed_out, 1);
    ck_assert_ptr_null(c.first);
    ck_assert(!c.coming);
}
END_TEST

/* One is told and on its way, the other told and in the list still. */
START_TEST(test_deadline_of_one_who_was_told_changes_nothing)
{
    set_up(_i);
    start_in_a_hurry(2, 1);
    ck_assert_int_eq(weft_cond_notify(&c, 2), WEFT_OK);
    await_sleepers(lock_word(), 1);
    unlock();
    join(2);
    ck_assert_uint_eq(told, 2);
    ck_assert_ptr_null(c.first);
    ck_assert(!c.coming);
}
END_TEST

/* Return how many have come back once `n` have. */
static unsigned
await_told(unsigned n)
{
    unsigned now = 0;

    while (now < n) {
        sched_yield();
        lock();
        now = told;
        unlock();
    }
    return now;
}

START_TEST(test_notify_tells_at_most_n_longest_waiting_first) /* C5 */
{
    set_up(_i);
    start(WAITERS, WEFT_FOREVER);
    notify(0);
    notify(2);
    ck_assert_uint_eq(await_told(2), 2);
    lock();
    ck_assert_uint_eq(told, 2);
    ck_assert_ptr_eq(c.first, c.waiting); /* nobody else was told */
    unlock();
    notify(1);
    ck_assert_uint_eq(await_told(3), 3);
    notify(100);
    join(WAITERS);
    for (unsigned i = 0; i < WAITERS; i++)
        ck_assert_uint_eq(order[i], i);
}
END_TEST

START_TEST(test_notify_all_tells_all_longest_waiting_first) /* C5 */
{
    set_up(_i);
    start(WAITERS, WEFT_FOREVER);
    lock();
    ck_assert_int_eq(weft_cond_notify_all(&c), WEFT_OK);
    unlock();
    join(WAITERS);
    for (unsigned i = 0; i < WAITERS; i++)
        ck_assert_uint_eq(order[i], i);
}
END_TEST

START_TEST(test_who_comes_after_the_notify_steals_no_wakeup) /* C5 */
{
    set_up(_i);
    start_one(0, WEFT_FOREVER);
    lock();
    ck_assert_int_eq(weft_cond_notify(&c, 1), WEFT_OK);
    /* This thread waits before the one that was told has the lock. */
    ck_assert_int_eq(weft_cond_wait(&c, weft_in_ms(5)), WEFT_TIMEOUT);
    unlock();
    join_one(0);
    ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(test_a_notify_that_nobody_waits_for_is_gone)
{
    set_up(_i);
    lock();
    ck_assert_int_eq(weft_cond_notify(&c, 1), WEFT_OK);
    ck_assert_int_eq(weft_cond_notify_all(&c), WEFT_OK);
    ck_assert_int_eq(weft_cond_wait(&c, weft_in_ms(1)), WEFT_TIMEOUT);
    unlock();
    ck_assert_uint_eq(kernel_calls, 1); /* that wait */
}
END_TEST

START_TEST(test_nobody_is_woken_into_the_lock)
{
    set_up(_i);
    start(WAITERS, WEFT_FOREVER);
    lock();
    const unsigned before = kernel_calls;
    ck_assert_int_eq(weft_cond_notify_all(&c), WEFT_OK);
    ck_assert_uint_eq(kernel_calls, before);
    ck_assert_uint_eq(told, 0);
    unlock(); /* wakes the first, who wakes the next */
    ck_assert_uint_le(kernel_calls, before + 1);
    join(WAITERS);
    ck_assert_uint_eq(told, WAITERS);
}
END_TEST

START_TEST(test_the_wait_shows)
{
    struct weft_self *record = weft_self_get_();

    set_up(_i);
    lock();
    const uint64_t before = record->waits;
    ck_assert_int_eq(weft_cond_wait(&c, weft_in_ms(1)), WEFT_TIMEOUT);
    ck_assert_uint_eq(record->waits, before + 2);
    ck_assert_int_eq(record->waits_kind, WEFT_KIND_COND);
    ck_assert_ptr_null(record->waits_for);
    unlock();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_wait_or_notify_without_the_lock_is_not_owner, LOCKS},
        {&test_not_owner_tells_nobody, LOCKS},
        {&test_wait_gives_up_an_rmutex_as_a_whole_and_restores_it, 2},
        {&test_timeout_is_never_early_and_holds_the_lock, LOCKS},
        {&test_wait_with_a_past_deadline_is_a_try, LOCKS},
        {&test_timeout_means_not_told, LOCKS},
        {&test_deadline_of_one_who_was_told_changes_nothing, LOCKS},
        {&test_notify_tells_at_most_n_longest_waiting_first, LOCKS},
        {&test_notify_all_tells_all_longest_waiting_first, LOCKS},
        {&test_who_comes_after_the_notify_steals_no_wakeup, LOCKS},
        {&test_a_notify_that_nobody_waits_for_is_gone, LOCKS},
        {&test_nobody_is_woken_into_the_lock, LOCKS},
        {&test_the_wait_shows, LOCKS},
    };

    return run_tests("cond", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

/* SPDX-License-Identifier: MIT */
#include "base/park.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "testing.h"

/*
 * The linker sends the library's system calls and looks at the clock here; see
 * the program's LDFLAGS.  What it counts is relaxed: the counts are read when
 * the threads have ended, or tell only that something has begun.
 */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

static _Atomic unsigned system_calls;
static _Atomic unsigned interrupted;
static _Atomic unsigned clock_looks;

static unsigned
now_at(_Atomic unsigned *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void
one_more(_Atomic unsigned *count)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

long
__wrap_syscall(long number, ...)
{
    va_list rest;

    va_start(rest, number);
    void *word = va_arg(rest, void *);
    int operation = va_arg(rest, int);
    unsigned value = va_arg(rest, unsigned);
    void *until = va_arg(rest, void *);
    void *other = va_arg(rest, void *);
    unsigned mask = va_arg(rest, unsigned);
    va_end(rest);
    one_more(&system_calls);
    const long result =
        __real_syscall(number, word, operation, value, until, other, mask);
    if (result < 0 && errno == EINTR)
        one_more(&interrupted);
    return result;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    one_more(&clock_looks);
    return __real_clock_gettime(clock, now);
}

/* How many threads sleep on `word` now: all are moved to where they are. */
static unsigned
sleepers(const void *word)
{
    const long moved =
        __real_syscall(SYS_futex, word, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0,
                       (void *)0x7fffffff, word, 0);

    ck_assert_int_ge(moved, 0);
    return (unsigned)moved;
}

static void
await_sleepers(const void *word, unsigned n)
{
    while (sleepers(word) != n)
        sched_yield();
}

static void
await(_Atomic unsigned *count, unsigned n)
{
    while (now_at(count) < n)
        sched_yield();
}

/* The waits behind one interface: variant 0 is a word, 1 an event count. */
static _Atomic uint32_t word;
static struct weft_event_count events = WEFT_EVENT_COUNT_INIT;
static _Atomic unsigned returned;

#define WAYS 2

static void *
place(int way)
{
    if (way == 0)
        return &word;
    return &events;
}

static enum weft_status
wait_once(int way, weft_deadline deadline)
{
    return way == 0 ? weft_park_wait_(&word, 0, deadline)
                    : weft_event_count_wait_(&events, 0, deadline);
}

static void
change_and_wake_all(int way)
{
    if (way == 1) {
        weft_event_count_signal_(&events);
        return;
    }
    atomic_store_explicit(&word, 1, memory_order_relaxed);
    weft_park_wake_all_(&word);
}

struct sleeper {
    pthread_t thread;
    int way;
    enum weft_status status;
};

static void *
sleep_once(void *arg)
{
    struct sleeper *s = arg;

    s->status = wait_once(s->way, WEFT_FOREVER);
    one_more(&returned);
    return NULL;
}

static void
start(struct sleeper *s, int n, int way)
{
    for (int i = 0; i < n; i++) {
        s[i].way = way;
        ck_assert_int_eq(pthread_create(&s[i].thread, NULL, sleep_once, &s[i]),
                         0);
    }
    await_sleepers(place(way), (unsigned)n);
}

static void
join_all_ok(struct sleeper *s, int n)
{
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(pthread_join(s[i].thread, NULL), 0);
        ck_assert_int_eq(s[i].status, WEFT_OK);
    }
}

START_TEST(test_wake_wakes_as_many_as_it_says)
{
    struct sleeper s[6];

    start(s, 6, 0);
    ck_assert_uint_eq(weft_park_wake_(&word, 0), 0);
    ck_assert_uint_eq(sleepers(&word), 6);
    ck_assert_uint_eq(weft_park_wake_(&word, 1), 1);
    await(&returned, 1);
    ck_assert_uint_eq(sleepers(&word), 5);
    ck_assert_uint_eq(weft_park_wake_(&word, 2), 2);
    await(&returned, 3);
    ck_assert_uint_eq(sleepers(&word), 3);
    ck_assert_uint_eq(now_at(&returned), 3);
    ck_assert_uint_eq(weft_park_wake_all_(&word), 3);
    join_all_ok(s, 6);
    ck_assert_uint_eq(weft_park_wake_all_(&word), 0);
    ck_assert_uint_eq(weft_park_wake_(&word, 1), 0);
}
END_TEST

START_TEST(test_signal_wakes_everybody)
{
    struct sleeper s[6];

    start(s, 6, 1);
    weft_event_count_signal_(&events);
    join_all_ok(s, 6);
}
END_TEST

START_TEST(test_wait_returns_at_once_if_it_has_happened)
{
    change_and_wake_all(_i);
    ck_assert_int_eq(wait_once(_i, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(wait_once(_i, weft_in_s(1000)), WEFT_OK);
    ck_assert_int_eq(wait_once(_i, 1), WEFT_OK);
}
END_TEST

START_TEST(test_now_and_before_never_enter_the_kernel)
{
    static const weft_deadline past[] = {WEFT_NOW, -1, INT64_MIN};
    const unsigned looks = now_at(&clock_looks);

    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
        ck_assert_int_eq(wait_once(_i, past[i]), WEFT_TIMEOUT);
    change_and_wake_all(_i);
    const unsigned before = now_at(&system_calls);
    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
        ck_assert_int_eq(wait_once(_i, past[i]), WEFT_OK);
    ck_assert_uint_eq(now_at(&system_calls), before);
    ck_assert_uint_le(before, 1); /* the wake */
    ck_assert_uint_eq(now_at(&clock_looks), looks);
}
END_TEST

START_TEST(test_timeout_is_never_early)
{
    for (int64_t span = 1; span < 100000000; span = span * 5 + 3) {
        const weft_deadline d = weft_in_ns(span);
        ck_assert_int_eq(wait_once(_i, d), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
}
END_TEST

START_TEST(test_deadline_in_the_past_times_out)
{
    ck_assert_int_eq(wait_once(_i, 1), WEFT_TIMEOUT);
    ck_assert_int_eq(wait_once(_i, 999999999), WEFT_TIMEOUT);
    ck_assert_int_eq(wait_once(_i, weft_clock_ns_() - 1), WEFT_TIMEOUT);
}
END_TEST

START_TEST(test_wait_wakes_only_once_before_its_deadline)
{
    const unsigned before = now_at(&system_calls);

    ck_assert_int_eq(wait_once(_i, weft_in_ms(200)), WEFT_TIMEOUT);
    ck_assert_uint_eq(now_at(&system_calls), before + 1);
}
END_TEST

START_TEST(test_errno_stays)
{
    errno = E2BIG;
    ck_assert_int_eq(wait_once(_i, weft_in_ns(1)), WEFT_TIMEOUT);
    ck_assert_int_eq(errno, E2BIG);
    change_and_wake_all(_i);
    ck_assert_int_eq(wait_once(_i, WEFT_FOREVER), WEFT_OK);
    weft_park_recount_();
    ck_assert_int_eq(errno, E2BIG);
}
END_TEST

static _Atomic unsigned handled;

static void
handle(int number)
{
    (void)number;
    one_more(&handled);
}

START_TEST(test_signal_handler_does_not_end_the_wait)
{
    struct sigaction act = {.sa_handler = handle};
    struct sleeper s;

    sigaction(SIGUSR1, &act, NULL); /* without SA_RESTART */
    start(&s, 1, _i);
    for (unsigned round = 1; round <= 20; round++) {
        ck_assert_int_eq(pthread_kill(s.thread, SIGUSR1), 0);
        await(&handled, round);
        await(&interrupted, round);
        await_sleepers(place(_i), 1);
    }
    ck_assert_uint_eq(now_at(&returned), 0);
    change_and_wake_all(_i);
    join_all_ok(&s, 1);
}
END_TEST

START_TEST(test_signal_makes_no_system_call_when_nobody_sleeps)
{
    struct sleeper s;

    for (int i = 0; i < 1000; i++)
        weft_event_count_signal_(&events);
    ck_assert_uint_eq(now_at(&system_calls), 0);

    /* Once somebody has slept and gone there is none to come. */
    memset(&events, 0, sizeof(events));
    start(&s, 1, 1);
    weft_event_count_signal_(&events);
    join_all_ok(&s, 1);
    const unsigned after = now_at(&system_calls);
    for (int i = 0; i < 1000; i++)
        weft_event_count_signal_(&events);
    ck_assert_uint_eq(now_at(&system_calls), after);
}
END_TEST

START_TEST(test_ticket_counts_signals)
{
    const uint64_t first = weft_event_count_ticket_(&events);

    ck_assert_int_eq(weft_event_count_wait_(&events, first, WEFT_NOW),
                     WEFT_TIMEOUT);
    weft_event_count_signal_(&events);
    ck_assert_uint_eq(weft_event_count_ticket_(&events), first + 1);
    ck_assert_int_eq(weft_event_count_wait_(&events, first, WEFT_FOREVER),
                     WEFT_OK);
    ck_assert_int_eq(weft_event_count_wait_(&events, first + 1, WEFT_NOW),
                     WEFT_TIMEOUT);
}
END_TEST

/* Let this process have one CPU, or all. */
static void
have_one_cpu(bool one)
{
    static cpu_set_t all;
    cpu_set_t first;
    size_t cpu = 0;

    if (CPU_COUNT(&all) == 0)
        ck_assert_int_eq(sched_getaffinity(getpid(), sizeof(all), &all), 0);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    ck_assert_int_eq(
        sched_setaffinity(getpid(), sizeof(all), one ? &first : &all), 0);
    weft_park_recount_();
}

START_TEST(test_spin_ends_without_a_change)
{
    for (int i = 0; i < 100; i++)
        ck_assert(!weft_park_spin_(&word, 0));
    ck_assert_int_eq(weft_park_spin_(&word, 1), weft_cpu_count() > 1);
}
END_TEST

START_TEST(test_nothing_spins_on_one_cpu)
{
    have_one_cpu(true);
    const unsigned looks = now_at(&clock_looks);
    ck_assert(!weft_park_spin_(&word, 0));
    ck_assert_uint_eq(now_at(&clock_looks), looks);
    ck_assert_int_eq(wait_once(1, 1), WEFT_TIMEOUT);
    ck_assert_uint_eq(now_at(&clock_looks), looks + 1); /* ck's own */

    have_one_cpu(false);
    if (weft_cpu_count() == 1)
        return;
    ck_assert(!weft_park_spin_(&word, 0));
    ck_assert_uint_gt(now_at(&clock_looks), looks + 1);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_wake_wakes_as_many_as_it_says, 1},
        {&test_signal_wakes_everybody, 1},
        {&test_wait_returns_at_once_if_it_has_happened, WAYS},
        {&test_now_and_before_never_enter_the_kernel, WAYS},
        {&test_timeout_is_never_early, WAYS},
        {&test_deadline_in_the_past_times_out, WAYS},
        {&test_wait_wakes_only_once_before_its_deadline, WAYS},
        {&test_errno_stays, WAYS},
        {&test_signal_handler_does_not_end_the_wait, WAYS},
        {&test_signal_makes_no_system_call_when_nobody_sleeps, 1},
        {&test_ticket_counts_signals, 1},
        {&test_spin_ends_without_a_change, 1},
        {&test_nothing_spins_on_one_cpu, 1},
    };

    return run_tests("park", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

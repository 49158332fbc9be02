/* SPDX-License-Identifier: MIT */
#include "base/park.h"

#include <pthread.h>
#include <sched.h>

#include "testing.h"

/* The waits behind one interface: variant 0 is a word, 1 an event count. */
#define WAYS 2

/* Let this process have one CPU, so that every wait sleeps. */
static void
have_one_cpu(void)
{
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

/* Two threads in turn, each waiting for the other. */
#define ROUNDS 50000 /* two hand-overs each */

static _Atomic uint32_t turn; /* even: the pinger's */
static uint64_t handed;       /* plain: owned by whose turn it is */
static struct weft_event_count turns[2];

static void
hand_over_by_word(uint32_t me)
{
    for (uint32_t t = me; t < 2 * ROUNDS; t += 2) {
        for (uint32_t seen;
             (seen = atomic_load_explicit(&turn, memory_order_acquire)) != t;)
            if (!weft_park_spin_(&turn, seen))
                ck_assert_int_eq(weft_park_wait_(&turn, seen, WEFT_FOREVER),
                                 WEFT_OK);
        handed++;
        atomic_store_explicit(&turn, t + 1, memory_order_release);
        weft_park_wake_(&turn, 1);
    }
}

/* The event counts alone say whose turn it is, and carry what was handed. */
static void
hand_over_by_event_count(uint32_t me)
{
    for (uint64_t t = me; t < me + ROUNDS; t++) {
        for (uint64_t seen; (seen = weft_event_count_ticket_(&turns[me])) < t;)
            ck_assert_int_eq(
                weft_event_count_wait_(&turns[me], seen, WEFT_FOREVER),
                WEFT_OK);
        handed++;
        weft_event_count_signal_(&turns[1 - me]);
    }
}

static void (*const hand_over[WAYS])(uint32_t me) = {hand_over_by_word,
                                                     hand_over_by_event_count};

static void *
ponger(void *way)
{
    hand_over[*(int *)way](1);
    return NULL;
}

START_TEST(test_no_wakeup_is_lost_between_two)
{
    int way = _i % WAYS;
    pthread_t other;

    if (_i >= WAYS)
        have_one_cpu();
    ck_assert_int_eq(pthread_create(&other, NULL, ponger, &way), 0);
    hand_over[way](0);
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    ck_assert_uint_eq(handed, 2 * ROUNDS);
}
END_TEST

/* A lock as it is built on words: 0 free, 1 held, 2 held and waited for. */
#define LOCKERS 4
#define TURNS   20000

static _Atomic uint32_t lock_word;
static uint64_t guarded; /* plain: the lock protects it */

static void
lock(void)
{
    uint32_t seen = 0;

    if (atomic_compare_exchange_strong_explicit(
            &lock_word, &seen, 1, memory_order_acquire, memory_order_relaxed))
        return;
    while (atomic_exchange_explicit(&lock_word, 2, memory_order_acquire) != 0)
        ck_assert_int_eq(weft_park_wait_(&lock_word, 2, WEFT_FOREVER), WEFT_OK);
}

static void
unlock(void)
{
    if (atomic_exchange_explicit(&lock_word, 0, memory_order_release) == 2)
        weft_park_wake_(&lock_word, 1);
}

static void *
locker(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        lock();
        guarded++;
        unlock();
    }
    return arg;
}

START_TEST(test_no_wakeup_is_lost_among_many)
{
    pthread_t lockers[LOCKERS];

    for (int i = 0; i < LOCKERS; i++)
        ck_assert_int_eq(pthread_create(&lockers[i], NULL, locker, NULL), 0);
    for (int i = 0; i < LOCKERS; i++)
        ck_assert_int_eq(pthread_join(lockers[i], NULL), 0);
    ck_assert_uint_eq(guarded, LOCKERS * TURNS);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_no_wakeup_is_lost_between_two, 2 * WAYS},
        {&test_no_wakeup_is_lost_among_many, 1},
    };

    return run_tests("park_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

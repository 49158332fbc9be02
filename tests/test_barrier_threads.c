/* SPDX-License-Identifier: MIT */
/*
 * weft_barrier under many threads: round for round, with more threads than
 * parties, and with deadlines, aborts and resets at random.
 */
#include <weft/barrier.h>

#include <pthread.h>

#include "base/park.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "waiting.h"

#define THREADS_MAX 9

static weft_barrier barrier;
static uint32_t parties;
static unsigned rounds;
static unsigned acted; /* plain */
static unsigned at[THREADS_MAX];

/* The ways to run it: _i */
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

static void
run_threads(size_t n, void *(*fn)(void *))
{
    pthread_t threads[THREADS_MAX];

    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, fn, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

static enum weft_status
count_round(void *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < parties; i++)
        ck_assert_uint_eq(at[i], acted); /* all came, none is ahead */
    acted++;
    return WEFT_OK;
}

static void *
step(void *number)
{
    const size_t me = (uintptr_t)number;

    for (unsigned r = 0; r < rounds; r++) {
        at[me] = r;
        size_t index = 99;
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, &index),
                         WEFT_OK);
        ck_assert_uint_lt(index, parties);
        ck_assert_uint_eq(acted, r + 1);
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                         WEFT_OK);
    }
    return NULL;
}

static enum weft_status
count_every_second(void *ctx)
{
    static bool second;

    if (!second)
        (void)count_round(ctx);
    second = !second;
    return WEFT_OK;
}

START_TEST(test_barrier_nobody_overtakes_a_round)
{
    static const uint32_t sizes[] = {1, 2, 3, 8};

    go(_i);
    rounds = 2000;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        parties = sizes[i];
        acted = 0;
        ck_assert_int_eq(
            weft_barrier_init(&barrier, parties, count_every_second, NULL),
            WEFT_OK);
        run_threads(parties, step);
        ck_assert_uint_eq(acted, rounds);
    }
}
END_TEST

/* More threads than parties: every round takes exactly so many waits. */
static _Atomic unsigned tickets;
static _Atomic unsigned passed;
static _Atomic unsigned index_sum;

static void *
pass_often(void *unused)
{
    (void)unused;
    while (atomic_fetch_add_explicit(&tickets, 1, memory_order_relaxed) <
           parties * rounds) {
        size_t index = 99;
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, &index),
                         WEFT_OK);
        atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&index_sum, (unsigned)index,
                                  memory_order_relaxed);
    }
    return NULL;
}

static enum weft_status
count_plainly(void *ctx)
{
    (void)ctx;
    acted++;
    return WEFT_OK;
}

START_TEST(test_barrier_more_threads_than_parties_share_the_rounds)
{
    go(_i);
    parties = 3;
    rounds = 3000;
    ck_assert_int_eq(weft_barrier_init(&barrier, parties, count_plainly, NULL),
                     WEFT_OK);
    run_threads(9, pass_often);
    ck_assert_uint_eq(passed, parties * rounds);
    ck_assert_uint_eq(acted, rounds);
    ck_assert_uint_eq(index_sum, rounds * (0 + 1 + 2));
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
}
END_TEST

/*
 * Storms: some threads wait with short deadlines, one aborts and resets.  Each
 * round that went well let exactly so many pass as there are parties.
 */
static _Atomic uint32_t draws = 1;

static uint32_t
draw(void)
{
    uint32_t x =
        atomic_fetch_add_explicit(&draws, 0x9e3779b9, memory_order_relaxed);

    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

static void *
storm(void *number)
{
    for (unsigned r = 0; r < rounds; r++) {
        weft_deadline d = WEFT_NOW;
        if (draw() % 8 != 0)
            d = weft_in_us(draw() % 200);
        enum weft_status s = weft_barrier_wait(&barrier, d, NULL);
        if (s == WEFT_OK)
            atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed);
        else
            ck_assert(s == WEFT_TIMEOUT || s == WEFT_BROKEN);
        const bool broke = s != WEFT_OK && (uintptr_t)number % 2 == 0;
        if (broke || draw() % 64 == 0)
            weft_barrier_reset(&barrier);
        if (draw() % 64 == 0)
            weft_barrier_abort(&barrier);
    }
    return NULL;
}

START_TEST(test_barrier_survives_a_storm_of_deadlines_aborts_and_resets)
{
    go(_i);
    parties = 2;
    rounds = 1500;
    ck_assert_int_eq(weft_barrier_init(&barrier, parties, count_plainly, NULL),
                     WEFT_OK);
    run_threads(5, storm);
    /* The action may have run in a round that was broken meanwhile. */
    ck_assert_uint_eq(passed % parties, 0);
    ck_assert_uint_ge(acted, passed / parties);
    weft_barrier_reset(&barrier);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_NOW, NULL), WEFT_TIMEOUT);
}
END_TEST

/* Cancelled at any moment, a thread leaves a barrier that a reset repairs. */
static void *
wait_always(void *unused)
{
    (void)unused;
    for (;;) {
        if (weft_barrier_wait(&barrier, WEFT_FOREVER, NULL) != WEFT_OK)
            weft_barrier_reset(&barrier);
        pthread_testcancel();
    }
    return NULL;
}

START_TEST(test_barrier_cancelled_at_any_moment_is_repaired_by_a_reset)
{
    go(_i);
    parties = 2;
    ck_assert_int_eq(weft_barrier_init(&barrier, parties, NULL, NULL), WEFT_OK);
    for (int round = 0; round < 100; round++) {
        pthread_t t[3];
        for (size_t i = 0; i < 3; i++)
            ck_assert_int_eq(pthread_create(&t[i], NULL, wait_always, NULL), 0);
        for (uint32_t n = draw() % 20; n > 0; n--)
            sched_yield();
        for (size_t i = 0; i < 3; i++)
            pthread_cancel(t[i]);
        for (size_t i = 0; i < 3; i++)
            ck_assert_int_eq(pthread_join(t[i], NULL), 0);
        weft_barrier_reset(&barrier);
        ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
        ck_assert(!weft_barrier_is_broken(&barrier));
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_barrier_nobody_overtakes_a_round, WAYS},
        {&test_barrier_more_threads_than_parties_share_the_rounds, WAYS},
        {&test_barrier_survives_a_storm_of_deadlines_aborts_and_resets, WAYS},
        {&test_barrier_cancelled_at_any_moment_is_repaired_by_a_reset, WAYS},
    };

    return run_tests("barrier threads", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}

/* SPDX-License-Identifier: MIT */
#include <weft/semaphore.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "deadlock/watch.h"
#include "sleepers.h"
#include "testing.h"

#define THREADS 6
#define ROUNDS  5000

/* What every test is run over. */
enum variant { FREE_RUNNING, ONE_CPU, WATCHED, VARIANTS };

static weft_semaphore s;
static _Atomic int64_t units; /* taken, or given, by all threads together */
static _Atomic bool stop;

static void
set_up(int variant, uint32_t value, uint32_t max)
{
    have_one_cpu(variant == ONE_CPU);
    weft_watch_enable_(variant == WATCHED);
    must(weft_semaphore_init(&s, value, max) == WEFT_OK);
}

static int64_t
add(int64_t n)
{
    return atomic_fetch_add_explicit(&units, n, memory_order_relaxed) + n;
}

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Wait for a unit: not at all, not long, or as long as it takes. */
static bool
acquire_somehow(uint64_t *random)
{
    const uint64_t r = next_random(random);
    weft_deadline d = WEFT_NOW;

    if (r % 4 == 1)
        d = weft_in_ns((int64_t)(r >> 8) % 50000);
    else if (r % 4 > 1)
        d = WEFT_FOREVER;
    return weft_semaphore_acquire(&s, d) == WEFT_OK;
}

static void
run(void *(*fn)(void *seed), unsigned count)
{
    pthread_t thread[THREADS];
    uint64_t seed[THREADS];

    for (unsigned i = 0; i < count; i++) {
        seed[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, fn, &seed[i]), 0);
    }
    for (unsigned i = 0; i < count; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
}

static void
check_idle(uint32_t value)
{
    ck_assert_uint_eq(s.word, value); /* nobody waits */
    ck_assert_uint_eq(s.wakes, 0);
    ck_assert_uint_eq(s.handed, 0);
}

/* Units are taken and given back: never more of them than there are. */
#define UNITS 3

static void *
take_and_give_back(void *seed)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!acquire_somehow(seed))
            continue;
        const int64_t out = add(1);
        must(out >= 1 && out <= UNITS);
        if (next_random(seed) % 8 == 0)
            sched_yield();
        add(-1);
        must(weft_semaphore_release(&s, 1) == WEFT_OK);
    }
    return NULL;
}

START_TEST(test_no_unit_is_lost_or_made)
{
    set_up(_i, UNITS, UNITS);
    run(take_and_give_back, THREADS);
    check_idle(UNITS);
}
END_TEST

/* A semaphore of 1 is a lock, also for plain data. */
static uint64_t guarded;

static void *
count_up(void *seed)
{
    for (int i = 0; i < ROUNDS; i++) {
        must(weft_semaphore_acquire(&s, WEFT_FOREVER) == WEFT_OK);
        guarded++;
        must(weft_semaphore_release(&s, 1) == WEFT_OK);
    }
    return seed;
}

START_TEST(test_a_semaphore_of_1_is_a_lock)
{
    set_up(_i, 1, 1);
    run(count_up, THREADS);
    ck_assert_uint_eq(guarded, THREADS * ROUNDS);
    check_idle(1);
}
END_TEST

/* Units are made in bunches by one half and used up by the other. */
static void *
make_or_use(void *seed)
{
    if (*(uint64_t *)seed % 2 == 0) {
        for (int64_t made = 0; made < ROUNDS;) {
            const uint32_t n = (uint32_t)(next_random(seed) % 5) + 1;
            const enum weft_status status = weft_semaphore_release(&s, n);
            must(status == WEFT_OK || status == WEFT_OVERFLOW);
            if (status == WEFT_OK) {
                made += n;
                add(n);
            } else
                sched_yield();
        }
        return NULL;
    }
    for (int used = 0; used < ROUNDS;) {
        if (!acquire_somehow(seed))
            continue;
        used++;
        add(-1);
    }
    return NULL;
}

START_TEST(test_what_is_released_is_what_is_acquired)
{
    set_up(_i, 0, 50);
    run(make_or_use, THREADS);
    check_idle((uint32_t)atomic_load_explicit(&units, memory_order_relaxed));
}
END_TEST

/* Deadlines that end while units come. */
static void *
wait_shortly(void *seed)
{
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        const int64_t ns = (int64_t)(next_random(seed) % 20000);
        if (weft_semaphore_acquire(&s, weft_in_ns(ns)) == WEFT_OK)
            add(1);
    }
    return NULL;
}

static void *
release_now_and_then(void *arg)
{
    pthread_t waiting[THREADS];
    uint64_t seed[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        seed[i] = i + 1;
        pthread_create(&waiting[i], NULL, wait_shortly, &seed[i]);
    }
    for (int i = 0; i < ROUNDS; i++) {
        must(weft_semaphore_release(&s, 1) == WEFT_OK);
        for (int k = 0; k < i % 50; k++)
            sched_yield();
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(waiting[i], NULL);
    return arg;
}

START_TEST(test_no_unit_is_lost_to_a_deadline)
{
    set_up(_i, 0, WEFT_NO_MAX);
    release_now_and_then(NULL);
    check_idle((uint32_t)(ROUNDS - units));
}
END_TEST

/* Threads that are cancelled while they wait, with a unit on the way or not. */
#define VICTIMS 500

static void *
wait_to_be_cancelled(void *got)
{
    if (weft_semaphore_acquire(&s, WEFT_FOREVER) != WEFT_OK)
        return NULL;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    *(bool *)got = true;
    return NULL;
}

START_TEST(test_cancelling_a_waiting_thread_loses_no_unit)
{
    pthread_t victim[2];
    uint32_t released = 0;
    uint32_t taken = 0;
    const int victims = in_emulator() ? VICTIMS / 20 : VICTIMS;

    set_up(_i, 0, WEFT_NO_MAX);
    for (int i = 0; i < victims; i++) {
        bool got[2] = {false, false};
        for (int k = 0; k < 2; k++)
            pthread_create(&victim[k], NULL, wait_to_be_cancelled, &got[k]);
        for (int k = 0; k < i % 7; k++)
            sched_yield();
        if (i % 2 == 0)
            await_sleepers(&s.wakes, 2);
        must(weft_semaphore_release(&s, 1) == WEFT_OK);
        released++;
        ck_assert_int_eq(pthread_cancel(victim[0]), 0);
        ck_assert_int_eq(pthread_join(victim[0], NULL), 0);
        /* Where the first did not take it, the second does. */
        if (got[0]) {
            must(weft_semaphore_release(&s, 1) == WEFT_OK);
            released++;
        }
        ck_assert_int_eq(pthread_join(victim[1], NULL), 0);
        must(got[1]);
        taken += (uint32_t)got[0] + (uint32_t)got[1];
        ck_assert_uint_eq(taken, released);
        check_idle(0);
    }
}
END_TEST

/* Whoever acquires may free it while the release still runs. */
struct reply {
    weft_semaphore done;
    _Atomic bool used;
};

static _Atomic(struct reply *) request;

static void *
answer(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct reply *r;
        /* acquire: what the other thread put there */
        while ((r = atomic_exchange_explicit(&request, NULL,
                                             memory_order_acquire)) == NULL)
            sched_yield();
        for (int k = 0; k < i % 4; k++)
            sched_yield();
        must(weft_semaphore_release(&r->done, 1) == WEFT_OK);
    }
    return arg;
}

START_TEST(test_who_acquires_may_free_it)
{
    pthread_t other;

    set_up(_i, 0, 1);
    pthread_create(&other, NULL, answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct reply *r = calloc(1, sizeof(*r));
        ck_assert_ptr_nonnull(r);
        atomic_store_explicit(&request, r, memory_order_release);
        must(weft_semaphore_acquire(&r->done, WEFT_FOREVER) == WEFT_OK);
        free(r);
    }
    pthread_join(other, NULL);
}
END_TEST

/* Two threads, in turn. */
static weft_semaphore turn[2];

static void *
take_turns(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        must(weft_semaphore_acquire(&turn[1], WEFT_FOREVER) == WEFT_OK);
        guarded++;
        must(weft_semaphore_release(&turn[0], 1) == WEFT_OK);
    }
    return arg;
}

START_TEST(test_two_threads_hand_a_turn_to_and_fro)
{
    pthread_t other;

    set_up(_i, 0, 1);
    pthread_create(&other, NULL, take_turns, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        guarded++;
        must(weft_semaphore_release(&turn[1], 1) == WEFT_OK);
        must(weft_semaphore_acquire(&turn[0], WEFT_FOREVER) == WEFT_OK);
    }
    pthread_join(other, NULL);
    ck_assert_uint_eq(guarded, 2 * ROUNDS);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_no_unit_is_lost_or_made, VARIANTS},
        {&test_a_semaphore_of_1_is_a_lock, VARIANTS},
        {&test_what_is_released_is_what_is_acquired, VARIANTS},
        {&test_no_unit_is_lost_to_a_deadline, VARIANTS},
        {&test_cancelling_a_waiting_thread_loses_no_unit, VARIANTS},
        {&test_who_acquires_may_free_it, VARIANTS},
        {&test_two_threads_hand_a_turn_to_and_fro, VARIANTS},
    };

    return run_tests("semaphore_threads", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

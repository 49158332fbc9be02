/* SPDX-License-Identifier: MIT */
/*
 * test_future_threads.c - threads that finish, cancel, register, wait and give
 * back at the same time.
 */
#include <weft/barrier.h>
#include <weft/future.h>

#include <pthread.h>
#include <stdlib.h>

#include "pool/future_impl.h"
#include "sleepers.h"
#include "testing.h"

#define ROUNDS  1500
#define THREADS 5
#define SEVERAL 24

static weft_barrier meet;
static weft_future *shared;
static _Atomic unsigned winners;
static _Atomic unsigned called;
static int results[THREADS];

static void
meet_all(void)
{
    must(weft_barrier_wait(&meet, WEFT_FOREVER, NULL) == WEFT_OK);
}

static void
count_call(weft_future *f, void *ctx)
{
    (void)ctx;
    must(weft_future_is_done(f));
    atomic_fetch_add_explicit(&called, 1, memory_order_relaxed);
}

static void
win(bool won)
{
    if (won)
        atomic_fetch_add_explicit(&winners, 1, memory_order_relaxed);
}

/* What the result says must be what its winner wrote before. */
static void
check_end(weft_future *f)
{
    void *result = NULL;
    const weft_error *error;

    switch (weft_future_result(f, WEFT_FOREVER, &result)) {
    case WEFT_OK:
        must(result == &results[0] && results[0] == 1);
        break;
    case WEFT_FAILED:
        must(weft_future_error(f, WEFT_NOW, &error) == WEFT_FAILED);
        must(error->code == 11 && error->message[0] == 'e');
        break;
    default:
        must(weft_future_is_cancelled(f));
    }
}

/* Each thread has one part in a round, and a handle of its own. */
static void
take_part(unsigned part, weft_future *f)
{
    switch (part) {
    case 0:
        results[0] = 1;
        win(weft_future_set_result(f, &results[0]) == WEFT_OK);
        break;
    case 1:
        win(weft_future_set_error(f, 11, "error") == WEFT_OK);
        break;
    case 2: {
        const bool was_cancelled = weft_future_cancel(f);
        must(was_cancelled == weft_future_is_cancelled(f));
        win(was_cancelled);
        break;
    }
    case 3:
        must(weft_future_on_done(f, count_call, NULL) == WEFT_OK);
        check_end(f);
        break;
    default: /* a second one to cancel says the same as the first */
        must(weft_future_cancel(f) == weft_future_is_cancelled(f));
        check_end(f);
    }
    weft_future_release(f);
}

static void *
play(void *arg)
{
    const unsigned part = *(const unsigned *)arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        meet_all();
        take_part((part + i) % THREADS, shared);
        meet_all();
    }
    return NULL;
}

static void
begin(pthread_t *thread, unsigned *part, void *(*fn)(void *arg))
{
    for (unsigned i = 0; i < THREADS; i++) {
        part[i] = i;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, fn, &part[i]), 0);
    }
}

static void
end(const pthread_t *thread)
{
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
}

START_TEST(test_exactly_one_of_set_set_error_and_cancel_wins)
{
    pthread_t thread[THREADS];
    unsigned part[THREADS];

    have_one_cpu(_i == 1);
    ck_assert_int_eq(weft_barrier_init(&meet, THREADS + 1, NULL, NULL),
                     WEFT_OK);
    begin(thread, part, play);
    for (unsigned i = 0; i < ROUNDS; i++) {
        weft_future *f;
        must(weft_future_create(&f) == WEFT_OK);
        for (unsigned k = 1; k < THREADS; k++)
            weft_future_retain(f);
        shared = f;
        results[0] = 0;
        meet_all();
        meet_all();
        must(atomic_load_explicit(&winners, memory_order_relaxed) == i + 1);
        must(atomic_load_explicit(&called, memory_order_relaxed) == i + 1);
    }
    end(thread);
}
END_TEST

/* One handle: the thread that waits gives it back. */
static void *
wait_and_release(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        meet_all();
        must(weft_future_wait(shared, WEFT_FOREVER) == WEFT_OK);
        weft_future_release(shared);
        meet_all();
    }
    return arg;
}

START_TEST(test_who_has_waited_may_give_the_last_handle_back_at_once)
{
    pthread_t thread;

    have_one_cpu(_i == 1);
    ck_assert_int_eq(weft_barrier_init(&meet, 2, NULL, NULL), WEFT_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_and_release, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        must(weft_future_create(&shared) == WEFT_OK);
        must(weft_future_on_done(shared, count_call, NULL) == WEFT_OK);
        weft_future *f = shared;
        meet_all();
        if (i % 2 == 0)
            must(weft_future_set_result(f, NULL) == WEFT_OK);
        else
            must(weft_future_cancel(f));
        meet_all();
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(called, ROUNDS);
}
END_TEST

static weft_future *several[SEVERAL];

/* Two finish them, from both ends; the others wait in different ways. */
static void
wait_somehow(unsigned part, unsigned round)
{
    const enum weft_when when = (enum weft_when)(round % 3);
    weft_as_completed *it;
    weft_future *next;
    size_t n = 0;

    if (part == 2) {
        must(weft_wait(several, SEVERAL, when, WEFT_FOREVER, &n) == WEFT_OK);
        must(when == WEFT_FIRST_DONE ? n >= 1 : n == SEVERAL);
        return;
    }
    if (part == 3) { /* gives up again and again */
        while (weft_wait(several, SEVERAL, WEFT_ALL_DONE, weft_in_us(20), &n) !=
               WEFT_OK)
            must(n < SEVERAL);
        return;
    }
    must(weft_as_completed_create(&it, several, SEVERAL) == WEFT_OK);
    while (round % 4 != 0 &&
           weft_as_completed_next(it, WEFT_FOREVER, &next) == WEFT_OK) {
        must(weft_future_is_done(next));
        n++;
    }
    must(round % 4 == 0 || n == SEVERAL);
    weft_as_completed_destroy(it);
}

static void *
play_with_several(void *arg)
{
    const unsigned part = *(const unsigned *)arg;

    for (unsigned round = 0; round < ROUNDS / 5; round++) {
        meet_all();
        for (size_t i = 0; part < 2 && i < SEVERAL; i++) {
            weft_future *f = several[part == 0 ? i : SEVERAL - 1 - i];
            win(weft_future_set_result(f, NULL) == WEFT_OK);
        }
        if (part >= 2)
            wait_somehow(part, round);
        meet_all();
    }
    return NULL;
}

START_TEST(test_who_waits_for_several_sees_each_once_and_misses_none)
{
    pthread_t thread[THREADS];
    unsigned part[THREADS];

    have_one_cpu(_i == 1);
    ck_assert_int_eq(weft_barrier_init(&meet, THREADS + 1, NULL, NULL),
                     WEFT_OK);
    begin(thread, part, play_with_several);
    for (unsigned round = 0; round < ROUNDS / 5; round++) {
        for (size_t i = 0; i < SEVERAL; i++)
            must(weft_future_create(&several[i]) == WEFT_OK);
        meet_all();
        meet_all();
        must(atomic_load_explicit(&winners, memory_order_relaxed) ==
             (round + 1) * SEVERAL);
        for (size_t i = 0; i < SEVERAL; i++) {
            must(several[i]->watchers == NULL);
            weft_future_release(several[i]);
        }
    }
    end(thread);
}
END_TEST

static const struct test tests[] = {
    {&test_exactly_one_of_set_set_error_and_cancel_wins, 2},
    {&test_who_has_waited_may_give_the_last_handle_back_at_once, 2},
    {&test_who_waits_for_several_sees_each_once_and_misses_none, 2},
};

int
main(void)
{
    return run_tests("future_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_pool_intake.c - the queue of a pool by itself: order, the close, memory,
 * and segments that serve again.
 */
#include "pool/intake.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/reclaim.h"
#include "testing.h"

#define CELLS WEFT_SEGMENT_CELLS
#define SIDES 3 /* threads on each side */

static struct weft_intake *q;

static void
open_intake(void)
{
    q = aligned_alloc(alignof(struct weft_intake), sizeof(*q));
    memset(q, 0, sizeof(*q));
    ck_assert_int_eq(weft_intake_init_(q), WEFT_OK);
}

static void
close_intake(void)
{
    weft_intake_fini_(q);
    weft_reclaim_barrier_();
    free(q);
}

static void *
one(void *arg)
{
    return arg;
}

static void *
two(void *arg)
{
    return &((char *)arg)[1];
}

/* Every third is another function, and every fifth has no argument. */
static struct weft_job_
job(uintptr_t i)
{
    return (struct weft_job_){i % 3 == 0 ? two : one,
                              i % 5 == 0 ? NULL : (void *)i};
}

static enum weft_status
put(uintptr_t i)
{
    return weft_intake_put_(q, job(i));
}

static bool
takes(uintptr_t i)
{
    struct weft_job_ got;
    const struct weft_job_ want = job(i);

    return weft_intake_take_(q, &got) && got.fn == want.fn &&
           got.arg == want.arg;
}

static bool
takes_nothing(void)
{
    struct weft_job_ got;

    return !weft_intake_take_(q, &got);
}

START_TEST(test_jobs_come_out_in_the_order_in_which_they_went_in)
{
    const uintptr_t n = (uintptr_t)_i * CELLS / 2 + 7;

    open_intake();
    ck_assert(takes_nothing() && !weft_intake_is_ready_(q));
    for (uintptr_t i = 0; i < n; i++) {
        ck_assert_int_eq(put(i), WEFT_OK);
        ck_assert(weft_intake_is_ready_(q));
        ck_assert_uint_eq(weft_intake_size_(q), i + 1);
    }
    for (uintptr_t i = 0; i < n; i++) {
        ck_assert(takes(i));
        ck_assert_uint_eq(weft_intake_size_(q), n - 1 - i);
    }
    ck_assert(takes_nothing() && !weft_intake_is_ready_(q));
    close_intake();
}
END_TEST

/* The arguments are the numbers of lives, among others. */
START_TEST(test_a_segment_serves_again_and_again_without_memory)
{
    uintptr_t in = 0;
    uintptr_t out = 0;

    open_intake();
    for (int warm = 0; warm < 2; warm++) {
        alloc_fail_at(warm == 0 ? 0 : 1);
        bool good = true;
        while (in < (uintptr_t)(warm + 1) * 9 * CELLS) {
            good &= put(in) == WEFT_OK && put(in + 1) == WEFT_OK;
            in += 2;
            for (good &= takes(out++); in - out > 3; out++)
                good &= takes(out);
        }
        const unsigned asked = alloc_fail_stop();
        ck_assert(good);
        ck_assert_uint_le(asked, warm == 0 ? 3 : 0);
    }
    while (out < in)
        ck_assert(takes(out++));
    ck_assert(takes_nothing());
    close_intake();
}
END_TEST

START_TEST(test_a_put_without_memory_changes_nothing)
{
    open_intake();
    for (uintptr_t i = 0; i < CELLS; i++)
        ck_assert_int_eq(put(i), WEFT_OK);
    alloc_fail_at(1);
    const enum weft_status s = put(CELLS);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert_int_eq(s, WEFT_NO_MEMORY);
    ck_assert_uint_eq(weft_intake_size_(q), CELLS);
    if (_i == 1) /* it waits for memory where a segment ends */
        for (uintptr_t i = 0; i < CELLS; i++)
            ck_assert(takes(i));
    ck_assert_int_eq(put(CELLS), WEFT_OK);
    for (uintptr_t i = _i == 1 ? CELLS : 0; i <= CELLS; i++)
        ck_assert(takes(i));
    ck_assert(takes_nothing());
    close_intake();
}
END_TEST

/* With none, some, a segment's, and more than a segment's jobs waiting. */
static const uintptr_t waiting[] = {0, 5, CELLS - 1, CELLS, CELLS + 1};

START_TEST(test_a_close_lets_out_what_is_in_and_lets_nothing_in)
{
    const uintptr_t n = waiting[_i / 2];

    open_intake();
    for (uintptr_t i = 0; i < 3; i++) /* not at the first cell */
        ck_assert(_i % 2 == 0 || (put(i) == WEFT_OK && takes(i)));
    for (uintptr_t i = 0; i < n; i++)
        ck_assert_int_eq(put(i), WEFT_OK);
    ck_assert(!weft_intake_is_drained_(q));
    weft_intake_close_(q);
    weft_intake_close_(q);
    ck_assert_int_eq(put(n), WEFT_CLOSED);
    ck_assert_uint_eq(weft_intake_size_(q), n);
    for (uintptr_t i = 0; i < n; i++) {
        ck_assert(!weft_intake_is_drained_(q));
        ck_assert(takes(i));
    }
    ck_assert(weft_intake_is_drained_(q) && !weft_intake_is_ready_(q));
    ck_assert(takes_nothing());
    ck_assert_int_eq(put(n), WEFT_CLOSED);
    ck_assert_uint_eq(weft_intake_size_(q), 0);
    close_intake();
}
END_TEST

/* --- threads --------------------------------------------------------------- */

#define EACH 20000 /* jobs of a thread: they come by every segment often */
#define FEW  1000  /* where a segment is a few cells */

static atomic_uchar seen[SIDES * EACH];
static uintptr_t each = EACH;
static _Atomic unsigned taken;
static _Atomic unsigned bad;
static _Atomic unsigned refused;

static void
count(_Atomic unsigned *counter, bool that)
{
    if (that)
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void *
put_all(void *first)
{
    const uintptr_t begin = (uintptr_t)first;

    for (uintptr_t i = begin; i < begin + each; i++) {
        const enum weft_status s =
            weft_intake_put_(q, (struct weft_job_){one, (void *)(i + 1)});
        count(&refused, s == WEFT_CLOSED);
        count(&bad, s != WEFT_OK && s != WEFT_CLOSED);
    }
    return NULL;
}

static void *
take_all(void *unused)
{
    uintptr_t last[SIDES] = {0};
    struct weft_job_ got;

    while (!weft_intake_is_drained_(q)) {
        if (!weft_intake_take_(q, &got)) {
            sched_yield();
            continue;
        }
        const uintptr_t i = (uintptr_t)got.arg - 1;
        count(&bad, got.fn != one || i >= SIDES * EACH);
        count(&bad, last[i / EACH] > i);
        last[i / EACH] = i;
        count(&bad, atomic_fetch_add_explicit(&seen[i], 1,
                                              memory_order_relaxed) != 0);
        count(&taken, true);
    }
    return unused;
}

/* The close comes when all is put, or among the puts.  With a few cells only,
 * segments serve again while threads that were stopped still look at them. */
START_TEST(test_each_job_is_taken_once_in_the_order_of_its_putter)
{
    static const uint64_t cells[] = {CELLS, 1, 3};
    pthread_t putters[SIDES];
    pthread_t takers[SIDES];

    weft_intake_cells_ = cells[_i / 2];
    each = _i / 2 == 0 ? EACH : FEW;
    open_intake();
    for (uintptr_t i = 0; i < SIDES; i++) {
        ck_assert_int_eq(
            pthread_create(&putters[i], NULL, put_all, (void *)(i * EACH)), 0);
        ck_assert_int_eq(pthread_create(&takers[i], NULL, take_all, NULL), 0);
    }
    if (_i % 2 == 1)
        weft_intake_close_(q);
    for (int i = 0; i < SIDES; i++)
        pthread_join(putters[i], NULL);
    weft_intake_close_(q);
    for (int i = 0; i < SIDES; i++)
        pthread_join(takers[i], NULL);
    ck_assert_uint_eq(atomic_load(&bad), 0);
    ck_assert_uint_eq(atomic_load(&taken) + atomic_load(&refused),
                      SIDES * each);
    ck_assert(_i % 2 == 1 || atomic_load(&refused) == 0);
    close_intake();
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_jobs_come_out_in_the_order_in_which_they_went_in, 6},
        {&test_a_segment_serves_again_and_again_without_memory, 1},
        {&test_a_put_without_memory_changes_nothing, 2},
        {&test_a_close_lets_out_what_is_in_and_lets_nothing_in,
         2 * sizeof(waiting) / sizeof(waiting[0])},
        {&test_each_job_is_taken_once_in_the_order_of_its_putter, 6},
    };

    return run_tests("pool intake", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

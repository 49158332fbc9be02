/* SPDX-License-Identifier: MIT */
/*
 * test_future_memory.c - the memory of futures comes back to who takes it, and
 * is given back in the end.
 */
#include <weft/future.h>
#include <weft/pool.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/asan.h"
#include "pool/future_impl.h"
#include "testing.h"

/* Under AddressSanitizer nothing is kept. */
#ifdef WEFT_ASAN
#define KEPT 0
#else
#define KEPT 1
#endif

#define BATCH 32
#define MANY  (20 * BATCH)

static weft_future *futures[MANY];

static bool
create(unsigned n)
{
    bool good = true;

    for (unsigned i = 0; i < n; i++)
        good &= weft_future_create(&futures[i]) == WEFT_OK;
    return good;
}

static void
release(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        weft_future_release(futures[i]);
}

static void *
release_many(void *unused)
{
    release(MANY);
    return unused;
}

static void *
create_and_release(void *unused)
{
    if (!create(MANY))
        abort();
    release(MANY);
    return unused;
}

static void
do_in_thread(void *(*fn)(void *unused))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, fn, NULL), 0);
    pthread_join(thread, NULL);
}

START_TEST(test_what_a_thread_gives_back_it_takes_again)
{
    ck_assert(create(MANY));
    release(MANY);
    for (int round = 0; round < 3; round++) {
        alloc_fail_at(1);
        const bool good = create(MANY);
        const unsigned asked = alloc_fail_stop();
        ck_assert(good);
        ck_assert_uint_eq(asked, 0);
        for (unsigned i = 0; i < MANY; i++) /* each is another one */
            ck_assert_int_eq(weft_future_set_result(futures[i], &futures[i]),
                             WEFT_OK);
        for (unsigned i = 0; i < MANY; i++) {
            void *result;
            ck_assert_int_eq(weft_future_result(futures[i], WEFT_NOW, &result),
                             WEFT_OK);
            ck_assert_ptr_eq(result, &futures[i]);
        }
        release(MANY);
    }
}
END_TEST

/* All but what the other one had for itself, at most two batches. */
START_TEST(test_what_another_thread_gives_back_comes_back)
{
    ck_assert(create(MANY));
    do_in_thread(release_many);
    alloc_fail_at(0);
    const bool good = create(MANY);
    const unsigned asked = alloc_fail_stop();
    ck_assert(good);
    ck_assert_uint_le(asked, 2 * BATCH);
    release(MANY);
}
END_TEST

/* Who wants one takes a few batches, and leaves the others in common. */
START_TEST(test_a_thread_keeps_few_of_what_is_common)
{
    ck_assert(create(MANY));
    do_in_thread(release_many);
    ck_assert(create(1));
    release(1);
    alloc_fail_at(0);
    do_in_thread(create_and_release);
    const unsigned asked = alloc_fail_stop();
    ck_assert_uint_ge(asked, BATCH); /* it ran and had to ask for some */
    ck_assert_uint_le(asked, (2 + 4 + 1) * BATCH);
}
END_TEST

START_TEST(test_no_more_is_kept_than_so_many_batches)
{
    weft_future_batches_most_ = 3;
    alloc_fail_at(0);
    const bool good = create(MANY);
    alloc_fail_stop();
    ck_assert(good);
    ck_assert_uint_eq(alloc_live(), MANY);
    release(MANY);
    /* In common, and the thread's own. */
    ck_assert_uint_le(alloc_live(), (3 + 2) * BATCH);
    ck_assert_uint_ge(alloc_live(), 3 * BATCH);
}
END_TEST

START_TEST(test_a_trim_gives_all_back)
{
    alloc_fail_at(0);
    const bool good = create(MANY);
    alloc_fail_stop();
    ck_assert(good);
    release(MANY);
    ck_assert_uint_ne(alloc_live(), 0);
    weft_future_trim_();
    ck_assert_uint_eq(alloc_live(), 0);
    ck_assert(create(MANY));
    release(MANY);
}
END_TEST

/* What is common is more than it takes: it keeps the rest as its own. */
START_TEST(test_a_thread_that_ends_gives_back_what_it_has)
{
    alloc_fail_at(0);
    const bool good = create(MANY);
    if (_i == 1)
        release(MANY);
    else
        do_in_thread(release_many);
    do_in_thread(create_and_release);
    alloc_fail_stop();
    ck_assert(good);
    weft_future_trim_();
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

static void *
return_arg(void *arg)
{
    return arg;
}

START_TEST(test_the_end_of_a_pool_gives_all_back)
{
    const weft_pool_options o = {.workers = 2};
    weft_pool *p;

    ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_OK);
    alloc_fail_at(0);
    bool good = true;
    for (unsigned i = 0; i < MANY; i++)
        good &= weft_pool_submit(p, return_arg, p, &futures[i]) == WEFT_OK;
    alloc_fail_stop();
    ck_assert(good);
    release(MANY); /* of some, the worker has the last share */
    weft_pool_destroy(p);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_a_forked_child_goes_on_with_it)
{
    ck_assert(create(MANY));
    do_in_thread(release_many);
    const pid_t child = fork();
    if (child == 0) {
        create_and_release(NULL);
        do_in_thread(create_and_release);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* --- several threads at once ------------------------------------------------- */

#define THREADS 4
#define ROUNDS  3000

static _Atomic(weft_future *) table[THREADS * 50];

/* Put one where another one is, and give that back. */
static void *
exchange(void *seed)
{
    unsigned x = (unsigned)(uintptr_t)seed;
    uintptr_t bad = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        weft_future *f;
        x = x * 1103515245 + 12345;
        if (weft_future_create(&f) != WEFT_OK)
            return seed;
        bad |= weft_future_is_done(f);
        bad |= weft_future_set_result(f, f) != WEFT_OK;
        f = atomic_exchange_explicit(&table[(x >> 16) % (THREADS * 50)], f,
                                     memory_order_acq_rel);
        void *result = f;
        if (f != NULL)
            bad |= weft_future_result(f, WEFT_NOW, &result) != WEFT_OK;
        bad |= result != f;
        weft_future_release(f);
    }
    return (void *)bad;
}

START_TEST(test_no_two_futures_have_the_same_memory)
{
    pthread_t threads[THREADS];
    void *bad = NULL;

    weft_future_batches_most_ = (unsigned)_i;
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, exchange, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &bad);
        ck_assert_ptr_null(bad);
    }
    for (unsigned i = 0; i < THREADS * 50; i++)
        weft_future_release(table[i]);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_what_a_thread_gives_back_it_takes_again, KEPT},
        {&test_what_another_thread_gives_back_comes_back, KEPT},
        {&test_a_thread_keeps_few_of_what_is_common, KEPT},
        {&test_no_more_is_kept_than_so_many_batches, KEPT},
        {&test_a_trim_gives_all_back, KEPT},
        {&test_a_thread_that_ends_gives_back_what_it_has, 2},
        {&test_the_end_of_a_pool_gives_all_back, 1},
        {&test_a_forked_child_goes_on_with_it, 1},
        {&test_no_two_futures_have_the_same_memory, 3},
    };

    return run_tests("future memory", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_map_iter.c - results in order, through a window; from outside and from a
 * task of the pool, with 1, 2 and 8 workers of both forms.
 */
#include <weft/event.h>
#include <weft/parallel.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/deadline.h"
#include "sleepers.h"
#include "testing.h"
#include "waiting.h"

#define N        300
#define VARIANTS 12

static weft_pool *pool;
static weft_event opened;
static _Atomic unsigned begun;
static _Atomic unsigned dropped;
static _Atomic unsigned dropped_by_pool;

static unsigned
relaxed(const _Atomic unsigned *x)
{
    return atomic_load_explicit(x, memory_order_relaxed);
}

static void
count_one(_Atomic unsigned *x)
{
    atomic_fetch_add_explicit(x, 1, memory_order_relaxed);
}

static void
count_pool_drop(void *arg, void *ctx)
{
    (void)arg;
    (void)ctx;
    count_one(&dropped_by_pool);
}

static void
open_pool(int variant, size_t max_pending)
{
    static const unsigned sizes[] = {1, 2, 8};
    const weft_pool_options options = {
        .workers = sizes[variant % 3],
        .impl = variant / 3 % 2 == 0 ? WEFT_LOCKFREE : WEFT_MUTEX,
        .max_pending = max_pending,
        .drop = count_pool_drop,
    };

    ck_assert_int_eq(weft_pool_create(&pool, &options), WEFT_OK);
}

/* Brings the numbers from 1 to `end`, as addresses in `place`. */
static char place[N + 1];

struct source {
    size_t taken;
    size_t end;
    size_t dropped;
    pthread_t reader;
};

static bool
next_number(void *ctx, void **item)
{
    struct source *source = ctx;

    must(pthread_equal(source->reader, pthread_self()));
    if (source->taken == source->end)
        return false;
    *item = &place[++source->taken];
    return true;
}

static void
drop_number(void *item, void *ctx)
{
    struct source *source = ctx;

    must(item > (void *)place && item <= (void *)&place[source->end]);
    source->dropped++;
    count_one(&dropped);
}

static struct source
source_of(size_t n)
{
    return (struct source){.end = n, .reader = pthread_self()};
}

static weft_map_iter *
map(weft_fn *fn, struct source *source, size_t window, weft_deadline deadline)
{
    weft_map_iter *it = NULL;

    must(weft_map_iter_create(&it, pool, fn, next_number, drop_number, source,
                              window, deadline) == WEFT_OK);
    return it;
}

static void *
same(void *item)
{
    count_one(&begun);
    return item;
}

static void
expect_next(weft_map_iter *it, size_t number)
{
    void *result = NULL;

    must(weft_map_iter_next(it, &result) == WEFT_OK);
    must(result == &place[number]);
}

static void
expect(weft_map_iter *it, enum weft_status s)
{
    void *result = place;

    ck_assert_int_eq(weft_map_iter_next(it, &result), s);
    must(result == place);
}

static void *
read_all(void *arg)
{
    static const size_t windows[] = {0, 1, 2, 7, N + 50};

    for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
        struct source source = source_of(N);
        weft_map_iter *it = map(same, &source, windows[w], WEFT_FOREVER);
        const size_t window =
            windows[w] != 0 ? windows[w] : 2 * weft_pool_workers(pool);
        for (size_t i = 1; i <= N; i++) {
            /* X4: lazily, and what is read leaves room for the next */
            const size_t room = i - 1 + window < N ? i - 1 + window : N;
            must(arg == NULL ? source.taken == room : source.taken <= room);
            expect_next(it, i);
        }
        must(weft_map_iter_next(it, NULL) == WEFT_CLOSED);
        must(weft_map_iter_next(it, NULL) == WEFT_CLOSED);
        must(weft_map_iter_error(it) == NULL);
        weft_map_iter_destroy(it);
        must(source.dropped == 0);
    }
    return arg;
}

START_TEST(test_results_come_in_order_through_the_window) /* X3, X4, X9 */
{
    void *bounded = _i % 2 == 0 ? NULL : &pool;
    weft_future *f;

    open_pool(_i, bounded == NULL ? 0 : 3);
    if (_i < 6) {
        read_all(bounded);
    } else {
        ck_assert_int_eq(weft_pool_submit(pool, read_all, bounded, &f),
                         WEFT_OK);
        ck_assert_int_eq(weft_future_result(f, WEFT_FOREVER, NULL), WEFT_OK);
        weft_future_release(f);
    }
    weft_pool_destroy(pool);
}
END_TEST

static void *
wait_until_open(void *item)
{
    count_one(&begun);
    must(weft_event_wait(&opened, WEFT_FOREVER) == WEFT_OK);
    return item;
}

static void *
fail_third(void *item)
{
    if (item == &place[3])
        return weft_fail(3, "number %d", 3);
    return item > (void *)&place[3] ? wait_until_open(item) : item;
}

START_TEST(test_the_first_failure_ends_it_and_drops_what_has_not_begun) /* X3 */
{
    struct source source = source_of(N);

    open_pool(_i, 0);
    weft_map_iter *it = map(fail_third, &source, 50, WEFT_FOREVER);
    expect_next(it, 1);
    expect_next(it, 2);
    ck_assert_ptr_null(weft_map_iter_error(it));
    expect(it, WEFT_FAILED);
    const weft_error *error = weft_map_iter_error(it);
    ck_assert_int_eq(error->code, 3);
    ck_assert_str_eq(error->message, "number 3");
    expect(it, WEFT_CLOSED);
    ck_assert_uint_eq(source.taken, 52);
    weft_event_set(&opened);
    ck_assert_ptr_eq(weft_map_iter_error(it), error);
    weft_map_iter_destroy(it);
    weft_pool_destroy(pool);
    /* each was either called or dropped */
    ck_assert_uint_eq(relaxed(&begun) + source.dropped, 52 - 3);
    ck_assert_uint_ge(source.dropped, 52 - 3 - 8);
    ck_assert_uint_eq(relaxed(&dropped_by_pool), 0);
}
END_TEST

START_TEST(test_destroy_drops_what_has_not_begun) /* X3 */
{
    struct source source = source_of(N);

    open_pool(_i, _i % 2 == 0 ? 0 : 4);
    weft_map_iter *it = map(wait_until_open, &source, 40, WEFT_FOREVER);
    while (relaxed(&begun) == 0)
        sched_yield();
    weft_map_iter_destroy(it);
    ck_assert_uint_ge(source.dropped + 8, source.taken);
    weft_event_set(&opened);
    weft_pool_destroy(pool);
    ck_assert_uint_eq(relaxed(&begun) + source.dropped, source.taken);
    ck_assert_uint_eq(relaxed(&dropped_by_pool), 0);
    weft_map_iter_destroy(NULL);
}
END_TEST

START_TEST(test_a_read_that_is_late_can_be_repeated)
{
    struct source source = source_of(5);
    const weft_deadline d = weft_in_ms(3);

    open_pool(_i, _i % 2 == 0 ? 0 : 1);
    weft_map_iter *it = map(wait_until_open, &source, 3, d);
    expect(it, WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), d);
    expect(it, WEFT_TIMEOUT);
    weft_event_set(&opened);
    for (size_t i = 1; i <= 5; i++) {
        void *result = NULL;
        enum weft_status s;
        while ((s = weft_map_iter_next(it, &result)) == WEFT_TIMEOUT)
            sched_yield();
        ck_assert_int_eq(s, WEFT_OK);
        ck_assert_ptr_eq(result, &place[i]);
    }
    expect(it, WEFT_CLOSED);
    weft_map_iter_destroy(it);
    weft_pool_destroy(pool);
}
END_TEST

START_TEST(test_a_pool_that_is_shut_down_cancels_it)
{
    struct source source = source_of(N);

    open_pool(_i, 0);
    weft_map_iter *it = map(wait_until_open, &source, 20, WEFT_FOREVER);
    while (relaxed(&begun) == 0)
        sched_yield();
    ck_assert_int_eq(weft_pool_shutdown(pool, WEFT_CANCEL_PENDING, WEFT_NOW),
                     WEFT_TIMEOUT);
    weft_event_set(&opened);
    void *result;
    enum weft_status s;
    size_t read = 0;
    while ((s = weft_map_iter_next(it, &result)) == WEFT_OK)
        ck_assert_ptr_eq(result, &place[++read]);
    ck_assert_int_eq(s, WEFT_CANCELLED);
    expect(it, WEFT_CLOSED);
    weft_map_iter_destroy(it);
    weft_pool_destroy(pool);
    ck_assert_uint_eq(relaxed(&begun) + source.dropped, source.taken);
    ck_assert_uint_eq(relaxed(&dropped_by_pool), 0);
}
END_TEST

START_TEST(test_a_pool_that_takes_nothing_is_said_by_the_first_read)
{
    struct source source = source_of(N);

    open_pool(_i, 0);
    ck_assert_int_eq(weft_pool_shutdown(pool, WEFT_FINISH, WEFT_FOREVER),
                     WEFT_OK);
    weft_map_iter *it = map(same, &source, 20, WEFT_FOREVER);
    expect(it, WEFT_CANCELLED);
    expect(it, WEFT_CLOSED);
    ck_assert_uint_eq(source.taken, 1);
    ck_assert_uint_eq(source.dropped, 1);
    weft_map_iter_destroy(it);
    ck_assert_uint_eq(source.dropped, 1);
    weft_pool_destroy(pool);
}
END_TEST

static weft_map_iter *shared;
static struct source shared_source;

static void *
read_one(void *result)
{
    shared_source.reader = pthread_self();
    return weft_map_iter_next(shared, result) == WEFT_OK ? result : NULL;
}

START_TEST(test_a_reader_that_is_cancelled_loses_nothing)
{
    pthread_t thread;
    void *result = NULL;
    void *end;

    open_pool(_i, 0);
    shared_source = source_of(N);
    shared = map(wait_until_open, &shared_source, 3, WEFT_FOREVER);
    ck_assert_int_eq(pthread_create(&thread, NULL, read_one, &result), 0);
    ck_assert_int_eq(pthread_cancel(thread), 0);
    ck_assert_int_eq(pthread_join(thread, &end), 0);
    ck_assert_ptr_eq(end, PTHREAD_CANCELED);
    ck_assert_ptr_null(result);
    shared_source.reader = pthread_self();
    weft_event_set(&opened);
    for (size_t i = 1; i <= N; i++)
        expect_next(shared, i);
    expect(shared, WEFT_CLOSED);
    weft_map_iter_destroy(shared);
    weft_pool_destroy(pool);
}
END_TEST

START_TEST(test_a_forked_child_reads_nothing_and_does_not_wait)
{
    struct source source = source_of(N);
    int status;

    open_pool(_i, 0);
    weft_map_iter *it = map(wait_until_open, &source, 20, WEFT_FOREVER);
    while (relaxed(&begun) == 0)
        sched_yield();
    const pid_t child = fork();
    if (child == 0) {
        const enum weft_status s = weft_map_iter_next(it, NULL);
        weft_map_iter_destroy(it);
        _exit(s == WEFT_CLOSED ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    weft_event_set(&opened);
    for (size_t i = 1; i <= N; i++)
        expect_next(it, i);
    weft_map_iter_destroy(it);
    weft_pool_destroy(pool);
}
END_TEST

START_TEST(test_without_memory_nothing_is_asked_for_or_it_is_dropped)
{
    struct source source = source_of(1);
    weft_map_iter *it = NULL;
    void *result = NULL;

    open_pool(_i, 0);
    alloc_fail_at(1);
    enum weft_status s = weft_map_iter_create(
        &it, pool, same, next_number, drop_number, &source, 3, WEFT_FOREVER);
    (void)alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_NO_MEMORY);
    ck_assert_ptr_null(it);
    ck_assert_uint_eq(source.taken, 0);
    alloc_fail_at(2); /* the future of the first item */
    s = weft_map_iter_create(&it, pool, same, next_number, drop_number, &source,
                             3, WEFT_FOREVER);
    const enum weft_status read =
        s == WEFT_OK ? weft_map_iter_next(it, &result) : s;
    (void)alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(read, WEFT_NO_MEMORY);
    ck_assert_uint_eq(source.dropped, 1);
    expect(it, WEFT_CLOSED);
    weft_map_iter_destroy(it);
    weft_pool_destroy(pool);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

/* No assertion of Check from alloc_fail_at to alloc_fail_stop. */
static void
read_some(size_t n)
{
    struct source source = source_of(n);
    weft_map_iter *it = map(same, &source, 7, WEFT_FOREVER);

    for (size_t i = 1; i <= n / 2; i++)
        expect_next(it, i);
    weft_map_iter_destroy(it);
}

START_TEST(test_all_memory_is_given_back)
{
    const weft_pool_options options = {.workers = 2, .impl = WEFT_MUTEX};

    ck_assert_int_eq(weft_pool_create(&pool, &options), WEFT_OK);
    read_some(2);
    alloc_fail_at(0);
    read_some(N);
    const enum weft_status s =
        weft_pool_shutdown(pool, WEFT_FINISH, WEFT_FOREVER);
    (void)alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    weft_pool_destroy(pool);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_without_room_create_waits_until_the_deadline)
{
    struct source source = source_of(N);
    weft_future *f;

    open_pool(_i, 1);
    for (unsigned i = 0; i < weft_pool_workers(pool); i++) {
        ck_assert_int_eq(weft_pool_submit(pool, wait_until_open, NULL, &f),
                         WEFT_OK);
        weft_future_release(f);
        while (relaxed(&begun) != i + 1)
            sched_yield();
    }
    ck_assert_int_eq(weft_pool_submit(pool, same, NULL, NULL), WEFT_OK);
    const weft_deadline d = weft_in_ms(2);
    weft_map_iter *it = map(same, &source, 3, d);
    ck_assert_int_ge(weft_clock_ns_(), d);
    expect(it, WEFT_TIMEOUT);
    ck_assert_uint_eq(source.taken, 1);
    weft_map_iter_destroy(it);
    ck_assert_uint_eq(source.dropped, 1);
    weft_event_set(&opened);
    weft_pool_destroy(pool);
}
END_TEST

START_TEST(test_arguments_that_create_does_not_take)
{
    struct source source = source_of(1);
    weft_map_iter *it = NULL;

    open_pool(_i, 0);
    ck_assert_int_eq(weft_map_iter_create(NULL, pool, same, next_number, NULL,
                                          &source, 1, WEFT_FOREVER),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_map_iter_create(&it, pool, NULL, next_number, NULL,
                                          &source, 1, WEFT_FOREVER),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_map_iter_create(&it, pool, same, NULL, NULL, &source,
                                          1, WEFT_FOREVER),
                     WEFT_INVALID);
    ck_assert_ptr_null(it);
    ck_assert_int_eq(weft_map_iter_create(&it, pool, same, next_number, NULL,
                                          &source, SIZE_MAX, WEFT_FOREVER),
                     WEFT_NO_MEMORY);
    ck_assert_uint_eq(source.taken, 0);
    weft_pool_destroy(pool);
}
END_TEST

static const struct test tests[] = {
    {&test_results_come_in_order_through_the_window, VARIANTS},
    {&test_the_first_failure_ends_it_and_drops_what_has_not_begun, 6},
    {&test_destroy_drops_what_has_not_begun, 6},
    {&test_a_read_that_is_late_can_be_repeated, 6},
    {&test_a_pool_that_is_shut_down_cancels_it, 6},
    {&test_a_pool_that_takes_nothing_is_said_by_the_first_read, 6},
    {&test_a_reader_that_is_cancelled_loses_nothing, 6},
    {&test_a_forked_child_reads_nothing_and_does_not_wait, 6},
    {&test_without_memory_nothing_is_asked_for_or_it_is_dropped, 6},
    {&test_all_memory_is_given_back, 1},
    {&test_without_room_create_waits_until_the_deadline, 6},
    {&test_arguments_that_create_does_not_take, 1},
};

int
main(void)
{
    return run_tests("map_iter", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

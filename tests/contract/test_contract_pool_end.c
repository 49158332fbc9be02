/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool_end.c - the life of a pool: created, broken, shut down,
 * left.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/thread.h>

#include "pools.h"
#include "testing.h"

/* The linker sends the library's calls here; see the program's LDFLAGS. */
static _Atomic int threads_left = -1; /* -1: no limit */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                      void *(*run)(void *), void *arg)
{
    if (threads_left == 0)
        return EAGAIN;
    if (threads_left > 0)
        threads_left--;
    return __real_pthread_create(thread, attr, run, arg);
}

START_TEST(test_create_rejects_what_it_cannot_be)
{
    weft_pool_options o = {.impl = (enum weft_impl)3};
    weft_pool *p = NULL;

    ck_assert_int_eq(weft_pool_create(NULL, NULL), WEFT_INVALID);
    ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_INVALID);
    o = (weft_pool_options){.stack_bytes = 1};
    ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_INVALID);
    ck_assert_ptr_null(p);
}
END_TEST

START_TEST(test_defaults)
{
    weft_pool *p = NULL;

    ck_assert_int_eq(weft_pool_create(&p, NULL), WEFT_OK);
    ck_assert_uint_eq(weft_pool_workers(p), weft_cpu_count());
    ck_assert(!weft_pool_is_broken(p));
    weft_pool_destroy(p);
    weft_pool_destroy(NULL);
    weft_pool_release(NULL);
    const weft_pool_options o = {.impl = WEFT_LOCKLESS,
                                 .stack_bytes = 1 << 18,
                                 .pin = true,
                                 .max_pending = SIZE_MAX};
    ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_OK);
    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_default_pool_is_one)
{
    weft_pool *p = weft_pool_default();

    ck_assert_ptr_nonnull(p);
    ck_assert_ptr_eq(weft_pool_default(), p);
    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL), WEFT_OK);
}
END_TEST

START_TEST(test_as_many_workers_as_threads_are_to_be_had)
{
    const weft_pool_options o = {.workers = 8, .impl = pool_impl_of(_i)};
    weft_pool *p = NULL;

    threads_left = 3;
    ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_OK);
    ck_assert_uint_eq(weft_pool_workers(p), 3);
    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL), WEFT_OK);
    weft_pool_destroy(p);
    p = NULL;
    threads_left = 0;
    errno = 0;
    ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_SYSTEM);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_ptr_null(p);
}
END_TEST

static unsigned named;
static weft_thread *kept;

static void
find_named(weft_thread *t, void *ctx)
{
    char name[32];

    snprintf(name, sizeof(name), "spinner-%u", named);
    if (strcmp(weft_thread_name(t), name) == 0) {
        named++;
        if (ctx != NULL && kept == NULL)
            kept = weft_thread_retain(t);
    }
}

START_TEST(test_workers_are_named_and_listed_when_create_returns)
{
    char prefix[] = "spinner";
    const weft_pool_options o = {.name_prefix = prefix};
    weft_pool *p = open_pool(_i, &o);

    prefix[0] = 'x';
    weft_thread_enumerate(find_named, p);
    ck_assert_uint_eq(named, weft_pool_workers(p));
    weft_pool_destroy(p);
    ck_assert_int_eq(weft_thread_join(kept, WEFT_FOREVER, NULL), WEFT_OK);
    ck_assert(!weft_thread_is_alive(kept));
    weft_thread_release(kept);
    named = 0;
    weft_thread_enumerate(find_named, NULL);
    ck_assert_uint_eq(named, 0);
}
END_TEST

/* --- the initializer --------------------------------------------------------- */

static __thread bool is_ready;
static _Atomic unsigned initialized;

static enum weft_status
initialize(void *ctx)
{
    is_ready = true;
    count_one(ctx);
    return WEFT_OK;
}

static void *
ask_ready(void *arg)
{
    return is_ready ? arg : NULL;
}

START_TEST(test_initializer_runs_first_in_each_worker)
{
    const weft_pool_options o = {.initializer = initialize,
                                 .ctx = &initialized};
    weft_pool *p = open_pool(_i, &o);
    void *result;

    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(end_of(submit(p, ask_ready, p), &result), WEFT_OK);
        ck_assert_ptr_eq(result, p);
    }
    const unsigned n = weft_pool_workers(p);
    weft_pool_destroy(p);
    ck_assert_uint_eq(atomic_load(&initialized), n);
}
END_TEST

static enum weft_status
fail_to_initialize(void *ctx)
{
    struct gate *g = ctx;

    if (atomic_fetch_add(&g->entered, 1) == 0) {
        (void)!weft_event_wait(&g->opened, WEFT_FOREVER);
        return WEFT_FAILED;
    }
    return WEFT_OK;
}

static void *
run_in_pool(void *pool)
{
    struct fib root = {.n = 5};

    return (void *)(size_t)weft_pool_run(pool, &root.task, run_fib);
}

START_TEST(test_initializer_that_fails_breaks_the_pool)
{
    struct gate g = {.entered = 0};
    const weft_pool_options o = {
        .initializer = fail_to_initialize, .ctx = &g, .drop = NULL};
    weft_future *futures[10];
    pthread_t runner;
    unsigned broken = 0;
    void *run;

    weft_event_init(&g.opened);
    weft_pool *p = open_pool(_i, &o);
    for (int i = 0; i < 10; i++)
        futures[i] = submit(p, return_arg, NULL);
    ck_assert_int_eq(__real_pthread_create(&runner, NULL, run_in_pool, p), 0);
    weft_event_set(&g.opened);
    for (int i = 0; i < 10; i++) {
        const enum weft_status s = end_of(futures[i], NULL);
        ck_assert(s == WEFT_BROKEN ||
                  (s == WEFT_OK && weft_pool_workers(p) > 1));
        broken += s == WEFT_BROKEN;
    }
    ck_assert(weft_pool_workers(p) > 1 || broken == 10);
    pthread_join(runner, &run);
    ck_assert((size_t)run == WEFT_BROKEN || (size_t)run == WEFT_OK);
    while (!weft_pool_is_broken(p))
        sched_yield();
    ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, NULL), WEFT_BROKEN);
    ck_assert_int_eq((int)(size_t)run_in_pool(p), WEFT_BROKEN);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert(weft_pool_is_broken(p));
    weft_pool_destroy(p);
}
END_TEST

/* --- shut down --------------------------------------------------------------- */

START_TEST(test_submit_after_shutdown_is_closed)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *f = NULL;

    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, &f), WEFT_CLOSED);
    ck_assert_ptr_null(f);
    ck_assert_int_eq((int)(size_t)run_in_pool(p), WEFT_CLOSED);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_CANCEL_PENDING, WEFT_FOREVER),
                     WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_shutdown_without_waiting_runs_what_is_queued)
{
    weft_pool *p = open_pool(_i, NULL);
    _Atomic unsigned runs = 0;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(weft_pool_submit(p, count_one, &runs, NULL), WEFT_OK);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_NOW),
                     WEFT_TIMEOUT);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, weft_in_ms(1)),
                     WEFT_TIMEOUT);
    ck_assert_uint_eq(atomic_load(&runs), 0);
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert_uint_eq(atomic_load(&runs), 20);
    weft_pool_destroy(p);
}
END_TEST

static void
count_done(weft_future *f, void *ctx)
{
    (void)f;
    count_one(ctx);
}

START_TEST(test_shutdown_cancels_what_has_not_begun_and_leaves_what_runs)
{
    static _Atomic unsigned dropped;
    const weft_pool_options o = {.drop = drop_counted, .ctx = &dropped};
    weft_pool *p = open_pool(_i, &o);
    _Atomic unsigned runs = 0;
    _Atomic unsigned called = 0;
    weft_future *futures[10];
    weft_pool_stats stats;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 10; i++) {
        futures[i] = submit(p, count_one, &runs);
        ck_assert_int_eq(weft_future_on_done(futures[i], count_done, &called),
                         WEFT_OK);
        ck_assert_int_eq(weft_pool_submit(p, count_one, &runs, NULL), WEFT_OK);
    }
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_CANCEL_PENDING, WEFT_NOW),
                     WEFT_TIMEOUT);
    ck_assert_uint_eq(atomic_load(&called), 10);
    ck_assert_uint_eq(atomic_load(&drops), 20);
    ck_assert_uint_eq(atomic_load(&dropped), 20);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(end_of(futures[i], NULL), WEFT_CANCELLED);
    weft_event_set(&g.opened);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert_uint_eq(atomic_load(&runs), 0);
    weft_pool_get_stats(p, &stats);
    ck_assert_uint_eq(stats.injected, weft_pool_workers(p) + 20);
    ck_assert_uint_eq(stats.executed, weft_pool_workers(p));
    weft_pool_destroy(p);
}
END_TEST

START_TEST(test_shutdown_cancels_a_run_that_has_not_begun)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_pool_stats stats = {0};
    pthread_t runner;
    struct gate g;
    void *s;

    occupy(&g, p, weft_pool_workers(p));
    ck_assert_int_eq(__real_pthread_create(&runner, NULL, run_in_pool, p), 0);
    while (stats.pending == 0)
        weft_pool_get_stats(p, &stats);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_CANCEL_PENDING, WEFT_NOW),
                     WEFT_TIMEOUT);
    pthread_join(runner, &s);
    ck_assert_uint_eq((size_t)s, WEFT_CANCELLED);
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
}
END_TEST

static void *
shut_own_pool_down(void *pool)
{
    if (weft_pool_shutdown(pool, WEFT_FINISH, WEFT_FOREVER) != WEFT_DEADLOCK ||
        weft_pool_shutdown(pool, WEFT_FINISH, weft_in_s(100)) !=
            WEFT_DEADLOCK ||
        weft_pool_submit(pool, return_arg, NULL, NULL) != WEFT_OK)
        abort();
    if (weft_pool_shutdown(pool, WEFT_FINISH, WEFT_NOW) != WEFT_TIMEOUT ||
        weft_pool_submit(pool, return_arg, NULL, NULL) != WEFT_CLOSED)
        abort();
    return pool;
}

START_TEST(test_waiting_for_the_end_of_ones_own_pool_is_a_deadlock)
{
    weft_pool *p = open_pool(_i, NULL);

    ck_assert_int_eq(end_of(submit(p, shut_own_pool_down, p), NULL), WEFT_OK);
    weft_pool_destroy(p);
}
END_TEST

static void *
submit_until_closed(void *box)
{
    weft_pool *p = ((void **)box)[0];
    size_t n = 0;
    enum weft_status s;

    while ((s = weft_pool_submit(p, count_one, ((void **)box)[1], NULL)) ==
           WEFT_OK)
        n++;
    if (s != WEFT_CLOSED)
        abort();
    return (void *)n;
}

/* What was taken runs, also if it came while the pool was closing. */
START_TEST(test_nothing_is_lost_in_a_shutdown)
{
    for (int round = 0; round < 10; round++) {
        weft_pool *p = open_pool(_i, NULL);
        _Atomic unsigned runs = 0;
        void *box[2] = {p, &runs};
        pthread_t threads[2];
        size_t taken = 0;

        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(__real_pthread_create(&threads[i], NULL,
                                                   submit_until_closed, box),
                             0);
        while (atomic_load(&runs) < 20)
            sched_yield();
        ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER),
                         WEFT_OK);
        const unsigned ran = atomic_load(&runs);
        for (int i = 0; i < 2; i++) {
            void *n;
            pthread_join(threads[i], &n);
            taken += (size_t)n;
        }
        ck_assert_uint_eq(ran, taken);
        weft_pool_destroy(p);
    }
}
END_TEST

START_TEST(test_released_pool_finishes_what_it_has)
{
    weft_pool *p = open_pool(_i, NULL);
    _Atomic unsigned runs = 0;
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(weft_pool_submit(p, count_one, &runs, NULL), WEFT_OK);
    weft_pool_release(p);
    weft_event_set(&g.opened);
    while (weft_thread_count() > 1)
        sched_yield();
    ck_assert_uint_eq(atomic_load(&runs), 20);
}
END_TEST

static _Atomic bool may_destroy;

static void *
destroy_own_pool(void *pool)
{
    while (!atomic_load(&may_destroy)) /* the submit has not returned */
        sched_yield();
    weft_pool_destroy(pool);
    return pool;
}

START_TEST(test_destroy_in_a_task_of_its_own_is_release)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *f = submit(p, destroy_own_pool, p);

    atomic_store(&may_destroy, true);
    ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
    while (weft_thread_count() > 1)
        sched_yield();
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_create_rejects_what_it_cannot_be, 1},
        {&test_defaults, 1},
        {&test_default_pool_is_one, 1},
        {&test_as_many_workers_as_threads_are_to_be_had, POOLS},
        {&test_workers_are_named_and_listed_when_create_returns, POOLS},
        {&test_initializer_runs_first_in_each_worker, POOLS},
        {&test_initializer_that_fails_breaks_the_pool, POOLS},
        {&test_submit_after_shutdown_is_closed, POOLS},
        {&test_shutdown_without_waiting_runs_what_is_queued, POOLS},
        {&test_shutdown_cancels_what_has_not_begun_and_leaves_what_runs, POOLS},
        {&test_shutdown_cancels_a_run_that_has_not_begun, POOLS},
        {&test_waiting_for_the_end_of_ones_own_pool_is_a_deadlock, POOLS},
        {&test_nothing_is_lost_in_a_shutdown, POOLS},
        {&test_released_pool_finishes_what_it_has, POOLS},
        {&test_destroy_in_a_task_of_its_own_is_release, POOLS},
    };

    return run_tests("pool end", tests, sizeof(tests) / sizeof(tests[0]), 30);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool_refused.c - a task that is not taken: the argument is still
 * the caller's, and `*future` is what it was.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "pool/pool_impl.h"
#include "pools.h"
#include "testing.h"

/* The linker sends the library's calls here; see the program's LDFLAGS. */
enum weft_status __real_weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                                             enum weft_priority priority);
enum weft_status __wrap_weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                                             enum weft_priority priority);

static bool closes_late; /* after the pool has let the submit in */

enum weft_status
__wrap_weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                            enum weft_priority priority)
{
    if (closes_late) {
        closes_late = false;
        (void)weft_pool_shutdown(p, WEFT_FINISH, WEFT_NOW);
    }
    return __real_weft_pool_queue_put_(p, job, priority);
}

static _Atomic unsigned runs; /* of tasks that were refused */

static weft_future *
no_future(void)
{
    static char place;

    return (weft_future *)(void *)&place;
}

/* Both ways; the second waits for room no longer than now. */
static enum weft_status
submit_to(weft_pool *p, bool at_once, weft_future **future)
{
    return at_once
               ? weft_pool_submit_until(p, count_one, &runs, WEFT_PRIORITY_HIGH,
                                        WEFT_NOW, future)
               : weft_pool_submit(p, count_one, &runs, future);
}

/* Whether both ways, with a future and without, are refused for `why`. */
static bool
refuses(weft_pool *p, enum weft_status why)
{
    bool does = true;

    for (int way = why == WEFT_TIMEOUT; way < 2; way++) {
        weft_future *f = no_future();
        does &= submit_to(p, way == 1, &f) == why && f == no_future();
        does &= submit_to(p, way == 1, NULL) == why;
    }
    return does && atomic_load(&drops) == 0;
}

/* A pool that would drop the argument of what never runs. */
static weft_pool *
open_dropping(int form, size_t max_pending)
{
    const weft_pool_options o = {.max_pending = max_pending,
                                 .drop = drop_counted};

    return open_pool(form, &o);
}

static void
close_pool(weft_pool *p)
{
    weft_pool_destroy(p);
    ck_assert_uint_eq(atomic_load(&runs), 0);
    ck_assert_uint_eq(atomic_load(&drops), 0);
}

START_TEST(test_wrong_arguments_are_invalid)
{
    weft_pool *p = open_dropping(_i, 0);
    weft_future *f = no_future();
    weft_task t;

    ck_assert_int_eq(weft_pool_submit(p, NULL, NULL, &f), WEFT_INVALID);
    ck_assert_int_eq(weft_pool_submit_until(p, NULL, NULL, WEFT_PRIORITY_NORMAL,
                                            WEFT_FOREVER, &f),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_pool_submit_until(p, count_one, &runs,
                                            (enum weft_priority)3, WEFT_FOREVER,
                                            &f),
                     WEFT_INVALID);
    ck_assert_ptr_eq(f, no_future());
    ck_assert_int_eq(weft_pool_run(p, NULL, run_fib), WEFT_INVALID);
    ck_assert_int_eq(weft_pool_run(p, &t, NULL), WEFT_INVALID);
    ck_assert_int_eq(weft_pool_shutdown(p, (enum weft_shutdown)2, WEFT_FOREVER),
                     WEFT_INVALID);
    ck_assert_int_eq(end_of(submit(p, return_arg, NULL), NULL), WEFT_OK);
    close_pool(p);
}
END_TEST

START_TEST(test_a_pool_that_is_shut_down_refuses)
{
    weft_pool *p = open_dropping(_i, 3);

    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER), WEFT_OK);
    ck_assert(refuses(p, WEFT_CLOSED));
    close_pool(p);
}
END_TEST

START_TEST(test_a_pool_that_is_shut_down_meanwhile_refuses)
{
    weft_pool *p = open_dropping(_i, 1);
    weft_future *f = no_future();

    closes_late = true;
    ck_assert_int_eq(submit_to(p, false, &f), WEFT_CLOSED);
    ck_assert(!closes_late);
    ck_assert_ptr_eq(f, no_future());
    close_pool(p);
}
END_TEST

static void *
submit_and_wait(void *pool)
{
    weft_future *f = no_future();

    if (submit_to(pool, false, &f) != WEFT_CLOSED || f != no_future())
        abort();
    return NULL;
}

START_TEST(test_shutdown_wakes_who_waits_for_room)
{
    weft_pool *p = open_dropping(_i, 1);
    pthread_t threads[3];
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, NULL), WEFT_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, submit_and_wait, p),
                         0);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, WEFT_NOW),
                     WEFT_TIMEOUT);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    weft_event_set(&g.opened);
    close_pool(p);
}
END_TEST

START_TEST(test_a_full_pool_refuses)
{
    weft_pool *p = open_dropping(_i, 1);
    struct gate g;

    occupy(&g, p, weft_pool_workers(p));
    ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, NULL), WEFT_OK);
    ck_assert(refuses(p, WEFT_TIMEOUT));
    weft_event_set(&g.opened);
    close_pool(p);
}
END_TEST

static enum weft_status
fail_to_initialize(void *unused)
{
    (void)unused;
    return WEFT_FAILED;
}

START_TEST(test_a_broken_pool_refuses)
{
    const weft_pool_options o = {.initializer = fail_to_initialize,
                                 .drop = drop_counted};
    weft_pool *p = open_pool(_i, &o);

    while (!weft_pool_is_broken(p))
        sched_yield();
    ck_assert(refuses(p, WEFT_BROKEN));
    close_pool(p);
}
END_TEST

START_TEST(test_a_forked_child_is_refused)
{
    weft_pool *p = open_dropping(_i, 0);
    int status;

    const pid_t child = fork();
    if (child == 0)
        _exit(!refuses(p, WEFT_CLOSED));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_pool(p);
}
END_TEST

/* As many wait as the queue has room for without asking for memory. */
static void
fill_queue(weft_pool *p, int form)
{
    const size_t n =
        pool_impl_of(form) == WEFT_MUTEX ? 64 : WEFT_SEGMENT_CELLS - 1;

    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(weft_pool_submit(p, return_arg, NULL, NULL), WEFT_OK);
}

/* What the k-th allocation of a submit that has none meets. */
static enum weft_status
submit_without(unsigned k, weft_pool *p, weft_future **future, unsigned *asked)
{
    alloc_fail_at(k);
    const enum weft_status s = weft_pool_submit(p, return_arg, NULL, future);
    *asked = alloc_fail_stop();
    return s;
}

START_TEST(test_a_pool_without_memory_refuses)
{
    unsigned failed = 0;
    unsigned asked = 1;

    for (unsigned k = 1; k - failed == 1; k++) {
        weft_pool *p = open_pool_of(_i, 1);
        weft_future *f = no_future();
        struct gate g;

        occupy(&g, p, 1);
        fill_queue(p, _i);
        ck_assert_int_eq(submit_without(1, p, NULL, &asked), WEFT_NO_MEMORY);
        const enum weft_status s = submit_without(k, p, &f, &asked);
        ck_assert_int_eq(s, asked < k ? WEFT_OK : WEFT_NO_MEMORY);
        ck_assert((s == WEFT_OK) == (f != no_future()));
        failed += s != WEFT_OK;
        weft_event_set(&g.opened);
        if (s == WEFT_OK)
            ck_assert_int_eq(end_of(f, NULL), WEFT_OK);
        weft_pool_destroy(p);
    }
    ck_assert_uint_eq(failed, 2); /* for the future, for the queue */
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_wrong_arguments_are_invalid, POOLS},
        {&test_a_pool_that_is_shut_down_refuses, POOLS},
        {&test_a_pool_that_is_shut_down_meanwhile_refuses, POOLS},
        {&test_shutdown_wakes_who_waits_for_room, POOLS},
        {&test_a_full_pool_refuses, POOLS},
        {&test_a_broken_pool_refuses, POOLS},
        {&test_a_forked_child_is_refused, POOLS},
        {&test_a_pool_without_memory_refuses, POOLS},
    };

    return run_tests("pool refused", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

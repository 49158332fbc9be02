/* SPDX-License-Identifier: MIT */
/*
 * test_pool_crowd.c - who is woken while somebody who wakes is held up half way.
 * The source itself is part of this program, so that a test can act at a
 * schedule point of it.
 */
#include <weft/pool.h>
#include <weft/semaphore.h>

#include <sched.h>
#include <string.h>

#include "base/sched.h"
#include "testing.h"

static void do_at(const char *point);
#undef WEFT_SCHED_POINT_
#define WEFT_SCHED_POINT_(name) do_at(name)
#include "pool/crowd.c" // NOLINT: on purpose

static weft_pool *pool;
static _Thread_local const char *where; /* NULL: nowhere */
static weft_semaphore begun;
static weft_semaphore second;

static void *
release_second(void *unused)
{
    ck_assert_int_eq(weft_semaphore_release(&second, 1), WEFT_OK);
    return unused;
}

/* It keeps its worker until another one has run the second task. */
static void *
wait_for_second(void *unused)
{
    ck_assert_int_eq(weft_semaphore_release(&begun, 1), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_acquire(&second, WEFT_FOREVER), WEFT_OK);
    return unused;
}

/* --- a worker that shows a result is counted as one that searches ---------- */

static weft_semaphore gate;

static void *
pass_gate(void *unused)
{
    ck_assert_int_eq(weft_semaphore_acquire(&gate, WEFT_FOREVER), WEFT_OK);
    return unused;
}

static void *
open_gate(void *unused)
{
    ck_assert_int_eq(weft_semaphore_release(&gate, 1), WEFT_OK);
    return unused;
}

static void
submit(weft_fn *fn, weft_future **future)
{
    ck_assert_int_eq(weft_pool_submit(pool, fn, NULL, future), WEFT_OK);
}

static void
have_second_run(weft_future *unused, void *ctx)
{
    (void)unused;
    (void)ctx;
    submit(release_second, NULL);
    ck_assert_int_eq(weft_semaphore_acquire(&second, WEFT_FOREVER), WEFT_OK);
}

static void *
set_where(void *point)
{
    where = point;
    return NULL;
}

/* The worker that is being woken comes by itself, as after a signal, and has its
 * task before it is counted; then there is another one. */
static void
do_at(const char *point)
{
    if (where == NULL || strcmp(point, where) != 0)
        return;
    where = NULL;
    if (strcmp(point, "pool.soon_free") == 0) {
        submit(release_second, NULL);
        return;
    }
    for (unsigned i = 0; i < pool->started; i++)
        weft_park_wake_(&pool->lanes[i].asleep, 1);
    ck_assert_int_eq(weft_semaphore_acquire(&begun, WEFT_FOREVER), WEFT_OK);
    ck_assert_int_eq(weft_pool_submit(pool, release_second, NULL, NULL),
                     WEFT_OK);
}

static void
await_sleep(unsigned n)
{
    while (atomic_load_explicit(&pool->crowd, memory_order_relaxed) !=
           n * SLEEPING)
        sched_yield();
}

START_TEST(test_a_task_is_run_while_who_woke_another_is_held_up)
{
    const weft_pool_options o = {.workers = 2, .impl = (enum weft_impl)_i};

    ck_assert_int_eq(weft_semaphore_init(&begun, 0, 1), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_init(&second, 0, 1), WEFT_OK);
    ck_assert_int_eq(weft_pool_create(&pool, &o), WEFT_OK);
    await_sleep(2);
    where = "pool.woken_not_counted";
    ck_assert_int_eq(weft_pool_submit(pool, wait_for_second, NULL, NULL),
                     WEFT_OK);
    ck_assert_ptr_null(where);
    await_sleep(2);
    weft_pool_destroy(pool);
}
END_TEST

static void
open_pool(int form, size_t max_pending)
{
    const weft_pool_options o = {
        .workers = 2, .impl = (enum weft_impl)form, .max_pending = max_pending};

    ck_assert_int_eq(weft_semaphore_init(&gate, 0, 2), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_init(&begun, 0, 2), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_init(&second, 0, 1), WEFT_OK);
    ck_assert_int_eq(weft_pool_create(&pool, &o), WEFT_OK);
    await_sleep(2);
}

static void
await_end(weft_future *f)
{
    ck_assert_int_eq(weft_future_wait(f, WEFT_FOREVER), WEFT_OK);
    weft_future_release(f);
}

START_TEST(test_a_task_that_comes_before_a_result_is_shown_is_run)
{
    weft_future *f;

    if (!weft_park_may_spin_())
        return; /* with one CPU nobody searches */
    open_pool(_i, 0);
    ck_assert_int_eq(
        weft_pool_submit(pool, set_where, (void *)"pool.soon_free", &f),
        WEFT_OK);
    await_end(f);
    ck_assert_int_eq(weft_semaphore_acquire(&second, WEFT_FOREVER), WEFT_OK);
    await_sleep(2);
    weft_pool_destroy(pool);
}
END_TEST

START_TEST(test_a_callback_that_waits_for_a_task_does_not_search)
{
    weft_future *f;

    open_pool(_i, 0);
    submit(pass_gate, &f);
    ck_assert_int_eq(weft_future_on_done(f, have_second_run, NULL), WEFT_OK);
    await_sleep(1);
    (void)open_gate(NULL);
    await_end(f);
    await_sleep(2);
    weft_pool_destroy(pool);
}
END_TEST

/* Run by a task that waits for room, while the other worker sleeps again. */
static void *
let_other_sleep(void *unused)
{
    (void)open_gate(NULL);
    await_sleep(1);
    return unused;
}

static void *
wait_for_room_and_second(void *unused)
{
    weft_future *f;

    submit(let_other_sleep, &f);
    submit(release_second, NULL); /* no room: it runs the one before */
    ck_assert_int_eq(weft_semaphore_acquire(&second, WEFT_FOREVER), WEFT_OK);
    weft_future_release(f);
    return unused;
}

static void *
begin_and_pass_gate(void *unused)
{
    ck_assert_int_eq(weft_semaphore_release(&begun, 1), WEFT_OK);
    return pass_gate(unused);
}

START_TEST(test_a_task_that_ran_another_for_want_of_room_does_not_search)
{
    weft_future *f;

    open_pool(_i, 1);
    submit(begin_and_pass_gate, NULL);
    ck_assert_int_eq(weft_semaphore_acquire(&begun, WEFT_FOREVER), WEFT_OK);
    submit(wait_for_room_and_second, &f);
    await_end(f);
    await_sleep(2);
    weft_pool_destroy(pool);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_task_is_run_while_who_woke_another_is_held_up, WEFT_MUTEX + 1},
        {&test_a_task_that_comes_before_a_result_is_shown_is_run,
         WEFT_MUTEX + 1},
        {&test_a_callback_that_waits_for_a_task_does_not_search,
         WEFT_MUTEX + 1},
        {&test_a_task_that_ran_another_for_want_of_room_does_not_search,
         WEFT_MUTEX + 1},
    };

    return run_tests("pool crowd", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

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

/* The worker that is being woken comes by itself, as after a signal, and has its
 * task before it is counted; then there is another one. */
static void
do_at(const char *point)
{
    if (where == NULL || strcmp(point, where) != 0)
        return;
    where = NULL;
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

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_task_is_run_while_who_woke_another_is_held_up, WEFT_MUTEX + 1},
    };

    return run_tests("pool crowd", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

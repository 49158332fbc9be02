/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_pool.c - predictions for what is forked in a pool, and run
 * by another worker.
 */
#include <weft/deadlock.h>

#include "deadlocks.h"
#include "pool/pool_impl.h"

static weft_semaphore posted;
static atomic_int begun;   /* tasks, by others than their forker */
static atomic_int allowed; /* of them to go on */

/* What the forker does, and its two tasks; each may be NULL. */
static struct script {
    weft_fn *before;
    weft_fn *first;
    weft_fn *between;
    weft_fn *second;
    weft_fn *after;
} script;

static void
call(weft_fn *fn)
{
    if (fn != NULL)
        (void)fn(NULL);
}

static void
until(atomic_int *count, int n)
{
    while (atomic_load(count) < n)
        sched_yield();
}

static void
run_first(weft_strand s, weft_task *t)
{
    (void)s;
    (void)t;
    atomic_fetch_add(&begun, 1);
    until(&allowed, 1);
    call(script.first);
    atomic_fetch_add(&allowed, 1);
}

static void
run_second(weft_strand s, weft_task *t)
{
    (void)s;
    (void)t;
    atomic_fetch_add(&begun, 1);
    until(&allowed, 2);
    call(script.second);
    atomic_fetch_add(&allowed, 1);
}

/* The first task, then the second, then what is between; nothing says so. */
static void
run_forker(weft_strand s, weft_task *t)
{
    weft_task first;
    weft_task second;

    (void)t;
    call(script.before);
    weft_fork(&s, &first, run_first);
    weft_fork(&s, &second, run_second);
    weft_strand_publish_(s);
    until(&begun, 2); /* so neither is taken back */
    atomic_fetch_add(&allowed, 1);
    until(&allowed, 3);
    call(script.between);
    weft_join(&s, &second);
    weft_join(&s, &first);
    call(script.after);
}

static void
play(int form, struct script s)
{
    const weft_pool_options options = {
        .workers = 3, .impl = form == 0 ? WEFT_LOCKFREE : WEFT_MUTEX};
    weft_pool *pool;
    weft_task task;

    script = s;
    enable();
    ck_assert_int_eq(weft_pool_create(&pool, &options), WEFT_OK);
    ck_assert_int_eq(weft_pool_run(pool, &task, run_forker), WEFT_OK);
    weft_pool_destroy(pool);
}

/* --- what could be -------------------------------------------------------- */

START_TEST(test_a_stolen_task_and_its_forker_could_be_a_deadlock)
{
    play(_i, (struct script){.first = a_then_b, .between = b_then_a});
    check(1);
    ck_assert(has_said("a_then_b"));
    ck_assert(has_said("b_then_a"));
}
END_TEST

START_TEST(test_two_stolen_tasks_could_be_a_deadlock)
{
    play(_i, (struct script){.first = a_then_b, .second = b_then_a});
    check(1);
}
END_TEST

/* --- what could not ------------------------------------------------------- */

START_TEST(test_a_stolen_task_comes_after_what_was_before_its_fork)
{
    play(_i, (struct script){.before = a_then_b, .first = b_then_a});
    check(0);
}
END_TEST

START_TEST(test_what_follows_a_join_comes_after_the_stolen_task)
{
    play(_i, (struct script){.first = a_then_b, .after = b_then_a});
    check(0);
}
END_TEST

/* --- what a stolen task does for others ------------------------------------ */

static void *
a_then_b_and_start(void *unused)
{
    a_then_b(NULL);
    join(start(b_then_a, NULL));
    return unused;
}

START_TEST(test_a_thread_comes_after_the_stolen_task_that_started_it)
{
    play(_i, (struct script){.first = a_then_b_and_start});
    check(0);
}
END_TEST

static void *
a_then_b_and_post(void *unused)
{
    a_then_b(NULL);
    weft_semaphore_release(&posted, 1);
    return unused;
}

static void *
take_b_then_a(void *unused)
{
    (void)!weft_semaphore_acquire(&posted, WEFT_FOREVER);
    return b_then_a(unused);
}

START_TEST(test_who_takes_what_a_stolen_task_has_posted_comes_after_it)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    ck_assert_int_eq(weft_semaphore_init(&posted, 0, WEFT_NO_MAX), WEFT_OK);
    play(_i,
         (struct script){.first = a_then_b_and_post, .second = take_b_then_a});
    check(0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_stolen_task_and_its_forker_could_be_a_deadlock, 2},
        {&test_two_stolen_tasks_could_be_a_deadlock, 2},
        {&test_a_stolen_task_comes_after_what_was_before_its_fork, 2},
        {&test_what_follows_a_join_comes_after_the_stolen_task, 2},
        {&test_a_thread_comes_after_the_stolen_task_that_started_it, 2},
        {&test_who_takes_what_a_stolen_task_has_posted_comes_after_it, 2},
    };

    return run_tests("deadlock_order_pool", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

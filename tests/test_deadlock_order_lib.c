/* SPDX-License-Identifier: MIT */
#include <weft/deadlock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadlocks.h"

/* Nobody in here ever waits for another: each thread runs alone. */

static weft_rmutex recursive;
static weft_rwlock shared;
static weft_mutex gate;

static void
enable(void)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
}

/* All that was said is about what could happen. */
static void
check(size_t predicted)
{
    ck_assert_uint_eq(weft_deadlock_predicted(), predicted);
    ck_assert_uint_eq(weft_deadlock_count(), 0);
    ck_assert(has_said("weft") == (predicted > 0));
}

/* --- who takes what ------------------------------------------------------- */

static void *
a_then_b(void *unused)
{
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    weft_mutex_unlock(&b);
    weft_mutex_unlock(&a);
    return unused;
}

static void *
b_then_a(void *unused)
{
    weft_mutex_lock(&b);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

/* One after the other, with nothing that says so: both are started before. */
static weft_thread *runners[2];
static weft_fn *bodies[2];
static atomic_int turn;

static void *
run_in_turn(void *which)
{
    const int i = (int)(uintptr_t)which;

    while (atomic_load(&turn) != i)
        sched_yield();
    void *result = bodies[i](NULL);
    atomic_store(&turn, i + 1);
    return result;
}

static void
run_two(weft_fn *first, weft_fn *second)
{
    atomic_store(&turn, 0);
    bodies[0] = first;
    bodies[1] = second;
    for (int i = 0; i < 2; i++)
        runners[i] = start(run_in_turn, (void *)(uintptr_t)i);
    for (int i = 0; i < 2; i++) { /* also where no test runs */
        if (weft_thread_join(runners[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
        weft_thread_release(runners[i]);
    }
}

START_TEST(test_two_orders_could_be_a_deadlock)
{
    enable();
    weft_deadlock_name(&a, "first");
    weft_deadlock_name(&b, "second");
    run_two(a_then_b, b_then_a);
    check(1);
    ck_assert(has_said("weft: deadlock that could happen: 2 threads"));
    ck_assert(has_said("\"first\""));
    ck_assert(has_said("\"second\""));
    ck_assert(has_said("a_then_b"));
    ck_assert(has_said("b_then_a"));
}
END_TEST

START_TEST(test_it_is_said_once_for_the_same_places)
{
    enable();
    for (int i = 0; i < 3; i++)
        run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

START_TEST(test_one_order_is_none)
{
    enable();
    run_two(a_then_b, a_then_b);
    check(0);
}
END_TEST

START_TEST(test_one_thread_is_none)
{
    enable();
    a_then_b(NULL);
    b_then_a(NULL);
    check(0);
}
END_TEST

static void *
gate_a_then_b(void *unused)
{
    weft_mutex_lock(&gate);
    a_then_b(NULL);
    weft_mutex_unlock(&gate);
    return unused;
}

static void *
gate_b_then_a(void *unused)
{
    weft_mutex_lock(&gate);
    b_then_a(NULL);
    weft_mutex_unlock(&gate);
    return unused;
}

START_TEST(test_a_gate_is_none)
{
    enable();
    run_two(gate_a_then_b, gate_b_then_a);
    check(0);
    run_two(gate_a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- kinds ---------------------------------------------------------------- */

static void *
recursive_then_shared(void *unused)
{
    weft_rmutex_lock(&recursive);
    weft_rmutex_lock(&recursive); /* again */
    weft_rwlock_read_lock(&shared);
    weft_rwlock_read_unlock(&shared);
    weft_rmutex_unlock(&recursive);
    weft_rmutex_unlock(&recursive);
    return unused;
}

static void *
write_then_recursive(void *unused)
{
    weft_rwlock_write_lock(&shared);
    weft_rmutex_lock(&recursive);
    weft_rmutex_unlock(&recursive);
    weft_rwlock_write_unlock(&shared);
    return unused;
}

static void *
read_then_recursive(void *unused)
{
    weft_rwlock_read_lock(&shared);
    weft_rmutex_lock(&recursive);
    weft_rmutex_unlock(&recursive);
    weft_rwlock_read_unlock(&shared);
    return unused;
}

START_TEST(test_a_reader_and_a_writer_exclude_each_other)
{
    enable();
    run_two(recursive_then_shared, write_then_recursive);
    check(1);
}
END_TEST

START_TEST(test_two_readers_do_not)
{
    enable();
    run_two(recursive_then_shared, read_then_recursive);
    check(0);
}
END_TEST

/* --- what does not wait --------------------------------------------------- */

static void *
b_then_try_a(void *unused)
{
    weft_mutex_lock(&b);
    ck_assert_int_eq(weft_mutex_trylock(&a), WEFT_OK);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

static void *
b_then_a_until(void *unused)
{
    weft_mutex_lock(&b);
    ck_assert_int_eq(weft_mutex_lock_until(&a, weft_in_s(100)), WEFT_OK);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

static void *
try_b_then_a(void *unused)
{
    ck_assert_int_eq(weft_mutex_trylock(&b), WEFT_OK);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

START_TEST(test_a_try_and_a_deadline_do_not_wait)
{
    enable();
    run_two(a_then_b, b_then_try_a);
    run_two(a_then_b, b_then_a_until);
    check(0);
    run_two(a_then_b, try_b_then_a); /* what it got others may wait for */
    check(1);
}
END_TEST

/* --- a lock in hand ------------------------------------------------------- */

static void *
a_for_a_moment(void *unused)
{
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    return unused;
}

/* One that has ended by then might not have yet. */
START_TEST(test_a_join_with_a_lock_that_the_other_needed)
{
    enable();
    weft_thread *t = start(a_for_a_moment, NULL);
    if (_i != 0)
        while (weft_thread_is_alive(t))
            sched_yield();
    if (_i == 0)
        join(t);
    weft_mutex_lock(&a);
    if (_i != 0)
        join(t);
    weft_mutex_unlock(&a);
    check(_i == 0 ? 0 : 1);
}
END_TEST

/* --- what keeps them apart ------------------------------------------------ */

START_TEST(test_a_join_keeps_them_apart)
{
    enable();
    for (int i = 0; i < 3; i++) {
        join(start(a_then_b, NULL));
        join(start(b_then_a, NULL));
    }
    check(0);
}
END_TEST

START_TEST(test_a_start_keeps_them_apart)
{
    enable();
    a_then_b(NULL);
    weft_thread *t = start(b_then_a, NULL);
    join(t);
    check(0);
    a_then_b(NULL);
    check(0);
}
END_TEST

/* Ways to go on behind another thread. */
enum way {
    EVENT,
    EVENT_WAITED,
    SEMAPHORE,
    SEMAPHORE_WAITED,
    BARRIER,
    CONDITION,
    QUEUE,
    ROOM,
    FUTURE,
    POOL,
    TIMER,
    ONCE,
    WAYS
};

static weft_event event;
static weft_semaphore semaphore;
static weft_barrier barrier;
static weft_cond cond;
static weft_mutex cond_lock;
static bool is_ready;
static weft_queue *queue;
static weft_queue *full;
static weft_future *future;
static weft_pool *pool;
static weft_once once;
static enum way way;

static enum weft_status
once_a_then_b(void *unused)
{
    a_then_b(unused);
    return WEFT_OK;
}

static void
timed_a_then_b(void *unused)
{
    (void)unused;
    weft_event_set(&event);
}

/* Before the other may begin. */
static void *
before(void *unused)
{
    weft_timer *timer;
    void *item;

    if (way != ONCE)
        a_then_b(NULL);
    switch (way) {
    case EVENT:
    case EVENT_WAITED:
        weft_event_set(&event);
        break;
    case SEMAPHORE:
    case SEMAPHORE_WAITED:
        ck_assert_int_eq(weft_semaphore_release(&semaphore, 1), WEFT_OK);
        break;
    case BARRIER:
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                         WEFT_OK);
        break;
    case CONDITION:
        weft_mutex_lock(&cond_lock);
        is_ready = true;
        ck_assert_int_eq(weft_cond_notify_all(&cond), WEFT_OK);
        weft_mutex_unlock(&cond_lock);
        break;
    case QUEUE:
        ck_assert_int_eq(weft_queue_put(queue, &event, WEFT_FOREVER), WEFT_OK);
        break;
    case ROOM:
        ck_assert_int_eq(weft_queue_get(full, &item, WEFT_FOREVER), WEFT_OK);
        break;
    case FUTURE:
        ck_assert_int_eq(weft_future_set_result(future, NULL), WEFT_OK);
        break;
    case POOL:
        ck_assert_int_eq(weft_pool_submit(pool, b_then_a, NULL, NULL), WEFT_OK);
        break;
    case TIMER:
        ck_assert_int_eq(
            weft_timer_start(&timer, WEFT_NOW, timed_a_then_b, NULL), WEFT_OK);
        break;
    case ONCE:
        ck_assert_int_eq(weft_once_run(&once, once_a_then_b, NULL), WEFT_OK);
        break;
    case WAYS:
        break;
    }
    return unused;
}

static bool
look_ready(void *unused)
{
    (void)unused;
    return is_ready;
}

static void *
behind(void *unused)
{
    void *item;

    switch (way) {
    case TIMER:
    case EVENT:
    case EVENT_WAITED:
        ck_assert_int_eq(weft_event_wait(&event, WEFT_FOREVER), WEFT_OK);
        break;
    case SEMAPHORE:
    case SEMAPHORE_WAITED:
        ck_assert_int_eq(weft_semaphore_acquire(&semaphore, WEFT_FOREVER),
                         WEFT_OK);
        break;
    case BARRIER:
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                         WEFT_OK);
        break;
    case CONDITION:
        weft_mutex_lock(&cond_lock);
        ck_assert_int_eq(
            weft_cond_wait_for(&cond, look_ready, NULL, WEFT_FOREVER), WEFT_OK);
        weft_mutex_unlock(&cond_lock);
        break;
    case QUEUE:
        ck_assert_int_eq(weft_queue_get(queue, &item, WEFT_FOREVER), WEFT_OK);
        break;
    case ROOM:
        ck_assert_int_eq(weft_queue_put(full, &event, WEFT_FOREVER), WEFT_OK);
        break;
    case FUTURE:
        ck_assert_int_eq(weft_future_wait(future, WEFT_FOREVER), WEFT_OK);
        break;
    case ONCE:
        ck_assert_int_eq(weft_once_run(&once, once_a_then_b, NULL), WEFT_OK);
        break;
    case POOL:
    case WAYS:
        return unused;
    }
    b_then_a(NULL);
    return unused;
}

static void
prepare(void)
{
    const weft_queue_options one = {.capacity = 1};

    ck_assert_int_eq(weft_semaphore_init(&semaphore, 0, 10), WEFT_OK);
    ck_assert_int_eq(weft_barrier_init(&barrier, 2, NULL, NULL), WEFT_OK);
    weft_cond_init(&cond, &cond_lock);
    ck_assert_int_eq(weft_queue_create(&queue, NULL), WEFT_OK);
    ck_assert_int_eq(weft_queue_create(&full, &one), WEFT_OK);
    ck_assert_int_eq(weft_queue_put(full, &event, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_future_create(&future), WEFT_OK);
    ck_assert_int_eq(weft_pool_create(&pool, NULL), WEFT_OK);
}

/* The second of two variants: who is behind waits for it. */
START_TEST(test_what_comes_first_keeps_them_apart)
{
    enable();
    way = (enum way)(_i / 2);
    prepare();
    if (_i % 2 == 0 && way != BARRIER) {
        run_two(before, behind);
    } else if (way != ONCE) {
        weft_thread *second = start(behind, NULL);
        weft_thread *first = start(before, NULL);
        join(first);
        join(second);
    }
    weft_pool_destroy(pool);
    check(0);
}
END_TEST

/* --- lives ---------------------------------------------------------------- */

START_TEST(test_a_lock_that_is_made_anew_is_another)
{
    enable();
    join(runners[0] = start(a_then_b, NULL));
    if (_i == 1)
        weft_mutex_init(&a);
    else if (_i == 2)
        weft_deadlock_name(&a, NULL);
    check(0);
    run_two(a_then_b, a_then_b);
    if (_i == 0) {
        run_two(b_then_a, b_then_a);
        check(0); /* all joined */
    }
}
END_TEST

static void *
make_anew_b_then_a(void *unused)
{
    if (unused == NULL)
        weft_mutex_init(&a);
    return b_then_a(unused);
}

START_TEST(test_orders_of_an_earlier_life_are_void)
{
    enable();
    run_two(a_then_b, make_anew_b_then_a);
    check(0);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- on and off ----------------------------------------------------------- */

static void *
switch_over_b_then_a(void *unused)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    return b_then_a(unused);
}

START_TEST(test_what_was_known_is_void_when_it_was_off)
{
    enable();
    run_two(a_then_b, switch_over_b_then_a);
    check(0);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

START_TEST(test_nobody_predicts_while_it_is_off)
{
    enable();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    run_two(a_then_b, b_then_a);
    check(0);
}
END_TEST

/* Held while it is off, and locked or unlocked meanwhile: the number for what a
 * thread holds is wrong then, and is counted again. */
START_TEST(test_what_is_held_is_counted_again)
{
    enable();
    weft_mutex_lock(&gate);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    a_then_b(NULL);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_mutex_unlock(&gate);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

static int
run_in_child(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        const size_t at_first = weft_deadlock_predicted();
        run_two(a_then_b, b_then_a);
        _exit(weft_deadlock_predicted() > at_first ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(test_a_forked_child_predicts_too)
{
    enable();
    weft_mutex_lock(&gate); /* the graph has begun */
    weft_mutex_unlock(&gate);
    if (_i == 1)
        run_two(a_then_b, b_then_a);
    ck_assert_int_eq(run_in_child(), 0);
}
END_TEST

/* --- policies ------------------------------------------------------------- */

START_TEST(test_nothing_fails_or_aborts_for_what_could_happen)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(_i == 0 ? WEFT_DEADLOCK_FAIL
                                                  : WEFT_DEADLOCK_ABORT),
                     WEFT_OK);
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

/* --- the environment ------------------------------------------------------ */

#define AGAIN "--two-orders"
#define APART "--apart"
#define MANY  "--many"

/* Run this program again with that in its environment. */
static int
run_again(const char *setting, const char *what)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        setenv("WEFT_DEADLOCK", setting, 1);
        execl("/proc/self/exe", "test_deadlock_order_lib", what, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(test_the_environment_has_predictions_written)
{
    char json[] = "/tmp/weft-json-XXXXXX";
    char graph[] = "/tmp/weft-graph-XXXXXX";
    char setting[100];

    close(mkstemp(json));
    close(mkstemp(graph));
    listen_to_stderr();
    snprintf(setting, sizeof(setting), "report:json=%s:graph=%s", json, graph);
    ck_assert_int_eq(run_again(setting, AGAIN), 1);
    ck_assert(file_has(json, "a_then_b"));
    ck_assert(file_has(graph, "digraph"));
    ck_assert(has_said("To mend it"));
    unlink(json);
    unlink(graph);
}
END_TEST

START_TEST(test_the_environment_asks_for_plain_orders)
{
    listen_to_stderr();
    ck_assert_int_eq(run_again("report", APART), 0);
    ck_assert(!has_said("weft"));
    ck_assert_int_eq(run_again("report:order", APART), 1);
    ck_assert(has_said("weft: locks in both orders"));
    ck_assert(has_said("To mend it"));
}
END_TEST

START_TEST(test_a_word_that_is_none_is_said)
{
    static const char *const wrong[] = {"reprot",         "report:orders",
                                        "report:memory=", "report:memory=x",
                                        "report:json=",   "fail:memory=1kk"};
    static const char *const words[] = {"\"reprot\"",  "\"orders\"",
                                        "\"memory=\"", "\"memory=x\"",
                                        "\"json=\"",   "\"memory=1kk\""};

    listen_to_stderr();
    ck_assert_int_eq(run_again(wrong[_i], APART), 0);
    ck_assert(has_said("weft: WEFT_DEADLOCK: "));
    ck_assert(has_said(words[_i]));
    ck_assert(has_said("off, report, fail or abort"));
}
END_TEST

/* --- memory --------------------------------------------------------------- */

static weft_mutex many[20000];

/* Each in turn inside a, which is one more combination. */
static int
take_many(void)
{
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        weft_mutex_lock(&a);
        weft_mutex_lock(&many[i]);
        weft_mutex_unlock(&many[i]);
        weft_mutex_unlock(&a);
    }
    return 0;
}

START_TEST(test_what_is_full_says_so_once_and_goes_on)
{
    listen_to_stderr();
    ck_assert_int_eq(run_again("report:memory=1m", MANY), 0);
    ck_assert(has_said("for the orders of locks are full"));
    forget_what_was_said();
    ck_assert_int_eq(run_again("report:memory=8k", MANY), 0);
    forget_what_was_said();
    ck_assert_int_eq(run_again("report", MANY), 0);
    ck_assert(!has_said("full"));
}
END_TEST

/* What this program does for the tests that run it again. */
static int
be_run(const char *what)
{
    if (strcmp(what, MANY) == 0) {
        take_many();
        take_many();
        run_two(a_then_b, b_then_a);
        return 0;
    }
    if (strcmp(what, APART) == 0)
        run_two(gate_a_then_b, gate_b_then_a);
    else
        run_two(a_then_b, b_then_a);
    return (int)weft_deadlock_predicted();
}

int
main(int argc, char **argv)
{
    if (argc == 2)
        return be_run(argv[1]);
    static const struct test tests[] = {
        {&test_two_orders_could_be_a_deadlock, 1},
        {&test_it_is_said_once_for_the_same_places, 1},
        {&test_one_order_is_none, 1},
        {&test_one_thread_is_none, 1},
        {&test_a_gate_is_none, 1},
        {&test_a_reader_and_a_writer_exclude_each_other, 1},
        {&test_two_readers_do_not, 1},
        {&test_a_try_and_a_deadline_do_not_wait, 1},
        {&test_a_join_with_a_lock_that_the_other_needed, 2},
        {&test_a_join_keeps_them_apart, 1},
        {&test_a_start_keeps_them_apart, 1},
        {&test_what_comes_first_keeps_them_apart, 2 * WAYS},
        {&test_a_lock_that_is_made_anew_is_another, 3},
        {&test_orders_of_an_earlier_life_are_void, 1},
        {&test_what_was_known_is_void_when_it_was_off, 1},
        {&test_nobody_predicts_while_it_is_off, 1},
        {&test_what_is_held_is_counted_again, 1},
        {&test_a_forked_child_predicts_too, 2},
        {&test_nothing_fails_or_aborts_for_what_could_happen, 2},
        {&test_the_environment_has_predictions_written, 1},
        {&test_the_environment_asks_for_plain_orders, 1},
        {&test_a_word_that_is_none_is_said, 6},
        {&test_what_is_full_says_so_once_and_goes_on, 1},
    };

    return run_tests("deadlock_order_lib", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

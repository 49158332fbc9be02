/* SPDX-License-Identifier: MIT */
#include <weft/deadlock.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tsan.h"
#include "deadlock/watch.h"
#include "deadlocks.h"
#include "thread/waits.h"

/* --- where a wait is ------------------------------------------------------ */

static weft_queue *queue;
static weft_future *future;
static weft_timer *timer;
static weft_pool *pool;
static weft_task task;
static weft_event go;

#define CALLER static __attribute__((noinline, noipa)) void

#ifdef __clang__
#undef CALLER
#define CALLER static __attribute__((noinline)) void
#endif

/* Nothing comes behind a call in these: else it would be a jump. */
static volatile int after;

CALLER
do_get(void)
{
    void *item;
    (void)!weft_queue_get(queue, &item, WEFT_FOREVER);
    after++;
}

CALLER
do_get_n(void)
{
    void *items[2];
    size_t n;
    (void)!weft_queue_get_n(queue, items, 2, WEFT_FOREVER, &n);
    after++;
}

CALLER
do_put(void)
{
    (void)!weft_queue_put(queue, queue, WEFT_FOREVER);
    (void)!weft_queue_put(queue, queue, WEFT_FOREVER);
    after++;
}

CALLER
do_put_n(void)
{
    void *items[2] = {queue, queue};
    size_t n;
    (void)!weft_queue_put(queue, queue, WEFT_FOREVER);
    (void)!weft_queue_put_n(queue, items, 2, WEFT_FOREVER, &n);
    after++;
}

CALLER
do_join(void)
{
    (void)!weft_queue_put(queue, queue, WEFT_FOREVER);
    (void)!weft_queue_join(queue, WEFT_FOREVER);
    after++;
}

CALLER
do_wait_any(void)
{
    size_t n;
    (void)!weft_queue_wait_any(&queue, 1, WEFT_FOREVER, &n);
    after++;
}

CALLER
do_wait(void)
{
    (void)!weft_future_wait(future, WEFT_FOREVER);
    after++;
}

CALLER
do_result(void)
{
    (void)!weft_future_result(future, WEFT_FOREVER, NULL);
    after++;
}

CALLER
do_error(void)
{
    const weft_error *e;
    (void)!weft_future_error(future, WEFT_FOREVER, &e);
    after++;
}

CALLER
do_wait_many(void)
{
    (void)!weft_wait(&future, 1, WEFT_ALL_DONE, WEFT_FOREVER, NULL);
    after++;
}

CALLER
do_timer(void)
{
    (void)!weft_timer_join(timer, WEFT_FOREVER);
    after++;
}

static void
run_and_wait(weft_strand s, weft_task *t)
{
    (void)s;
    (void)t;
    (void)!weft_event_wait(&go, WEFT_FOREVER);
}

CALLER
do_run(void)
{
    (void)!weft_pool_run(pool, &task, run_and_wait);
    after++;
}

static void
ignore(void *unused)
{
    (void)unused;
}

static void (*const calls[])(void) = {
    do_get,  do_get_n,  do_put,   do_put_n,     do_join,  do_wait_any,
    do_wait, do_result, do_error, do_wait_many, do_timer, do_run};

#define CALLS  ((int)(sizeof(calls) / sizeof(calls[0])))
#define FORMS  3
#define LENGTH 512 /* of a function, at most */

static struct weft_self *_Atomic waiter;

static void *
make_call(void *call)
{
    atomic_store(&waiter, weft_self_get_());
    calls[(size_t)(uintptr_t)call]();
    return NULL;
}

static bool
is_in(uintptr_t place, void (*fn)(void))
{
    return place - (uintptr_t)fn < LENGTH;
}

/* What is noted at once is the call; where the library calls itself, the rest
 * follows when it has waited for long. */
static bool
is_noted(struct weft_self *s, void (*fn)(void))
{
    for (int i = 0; i < WEFT_WAIT_PLACES; i++)
        if (is_in(atomic_load(&s->waits_place[i]), fn))
            return true;
    return false;
}

START_TEST(test_a_wait_is_noted_where_it_is)
{
    const enum weft_impl impl[FORMS] = {WEFT_MUTEX, WEFT_LOCKFREE,
                                        WEFT_LOCKLESS};
    const weft_queue_options options = {.capacity = 1,
                                        .impl = impl[_i % FORMS]};
    const weft_pool_options few = {.workers = 1};
    const int call = _i / FORMS;

    ck_assert_int_eq(weft_queue_create(&queue, &options), WEFT_OK);
    ck_assert_int_eq(weft_future_create(&future), WEFT_OK);
    ck_assert_int_eq(weft_pool_create(&pool, &few), WEFT_OK);
    ck_assert_int_eq(weft_timer_start(&timer, weft_in_s(1000), ignore, NULL),
                     WEFT_OK);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_thread_release(start(make_call, (void *)(uintptr_t)call));
    while (atomic_load(&waiter) == NULL)
        sched_yield();
    struct weft_self *s = atomic_load(&waiter);
    while (atomic_load(&s->waits_for) == NULL)
        sched_yield();
    while (!is_noted(s, calls[call]))
        sched_yield();
    weft_event_set(&go); /* workers that do not end keep the process */
}
END_TEST

/* --- who was told --------------------------------------------------------- */

static weft_cond cond;
static weft_rmutex recursive;
static bool is_recursive;

static void
lock_guard(void)
{
    if (is_recursive)
        weft_rmutex_lock(&recursive);
    else
        weft_mutex_lock(&b);
}

static void
unlock_guard(void)
{
    if (is_recursive)
        weft_rmutex_unlock(&recursive);
    else
        weft_mutex_unlock(&b);
}

/* Holds a, and waits to be told. */
static void *
wait_to_be_told(void *unused)
{
    weft_mutex_lock(&a);
    lock_guard();
    const enum weft_status s = weft_cond_wait(&cond, WEFT_FOREVER);
    unlock_guard();
    weft_mutex_unlock(&a);
    (void)unused;
    return as_pointer(s);
}

/* Another thread, which could wake anybody. */
static void *
do_nothing(void *unused)
{
    while (!weft_event_is_set(&go))
        sched_yield();
    return unused;
}

START_TEST(test_who_was_told_waits_for_the_lock)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    is_recursive = _i / 2 != 0;
    if (is_recursive)
        weft_cond_init_r(&cond, &recursive);
    else
        weft_cond_init(&cond, &b);
    weft_thread *busy = start(do_nothing, NULL);
    weft_thread *t = start(wait_to_be_told, NULL);
    until_waiting(&cond, 1);
    lock_guard();
    if (_i % 2 == 0)
        ck_assert_int_eq(weft_cond_notify(&cond, 1), WEFT_OK);
    else
        ck_assert_int_eq(weft_cond_notify_all(&cond), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock(&a), WEFT_DEADLOCK);
    ck_assert(has_said("weft: deadlock: 2 threads wait for each other"));
    ck_assert(has_said(is_recursive ? "waits for rmutex" : "waits for mutex"));
    unlock_guard();
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    weft_event_set(&go);
    join(busy);
    ck_assert_uint_eq(weft_deadlock_count(), 1);
}
END_TEST

/* He who was told earlier, and waits again, is not. */
START_TEST(test_who_waits_again_was_not_told)
{
    struct weft_waits w = {0};
    struct weft_self *s = weft_self_get_();

    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    ck_assert_int_eq(weft_watch_block_(&cond, WEFT_KIND_COND, WEFT_FOREVER),
                     WEFT_OK);
    ck_assert(weft_waits_look_(&w));
    ck_assert_ptr_eq(w.picture.threads[0].wait.object, &cond);
    weft_watch_told_(s, &b, WEFT_KIND_MUTEX);
    ck_assert(weft_waits_look_(&w));
    ck_assert_ptr_eq(w.picture.threads[0].wait.object, &b);
    ck_assert_int_eq(w.picture.threads[0].wait.kind, WEFT_KIND_MUTEX);
    ck_assert(!w.picture.threads[0].can_fail);
    weft_watch_unblock_();
    ck_assert_int_eq(weft_watch_block_(&cond, WEFT_KIND_COND, WEFT_FOREVER),
                     WEFT_OK);
    ck_assert(weft_waits_look_(&w));
    ck_assert_ptr_eq(w.picture.threads[0].wait.object, &cond);
    weft_watch_unblock_();
}
END_TEST

/* --- who can fail --------------------------------------------------------- */

/* The other kinds are only ever possible, and are told, but do not fail. */
START_TEST(test_locks_once_and_joins_can_fail_and_nothing_else)
{
    static const bool can[WEFT_KIND_COUNT] = {
        [WEFT_KIND_MUTEX] = true, [WEFT_KIND_RMUTEX] = true,
        [WEFT_KIND_READ] = true,  [WEFT_KIND_WRITE] = true,
        [WEFT_KIND_ONCE] = true,  [WEFT_KIND_THREAD] = true};
    static weft_rwlock shared; /* large enough to be any of them */
    const enum weft_kind kind = (enum weft_kind)_i;
    const void *object =
        kind == WEFT_KIND_THREAD ? (void *)weft_thread_main() : &shared;
    struct weft_waits w = {0};

    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    ck_assert_int_eq(weft_watch_block_(object, kind, WEFT_FOREVER), WEFT_OK);
    ck_assert(weft_waits_look_(&w));
    ck_assert_int_eq(w.picture.threads[0].state, WEFT_DL_BLOCKED);
    ck_assert(w.picture.threads[0].can_fail == can[kind]);
    ck_assert((w.picture.threads[0].wait.rule == WEFT_DL_ANYBODY) ==
              !can[kind]);
    weft_watch_insist_();
    ck_assert(weft_waits_look_(&w));
    ck_assert(!w.picture.threads[0].can_fail);
    weft_watch_unblock_();
}
END_TEST

/* --- pools ---------------------------------------------------------------- */

static void *
sleep_for_good(void *unused)
{
    (void)!weft_event_wait(&go, WEFT_FOREVER);
    return unused;
}

static void *
wait_for_future(void *unused)
{
    (void)!weft_future_wait(future, WEFT_FOREVER);
    return unused;
}

static void *
run_task(void *unused)
{
    (void)!weft_pool_run(pool, &task, run_and_wait);
    return unused;
}

static weft_fn *const tasks[] = {sleep_for_good, wait_for_future};

/* One worker waits, one has nothing to do; the main thread waits for both. */
static void
hang(int how)
{
    const weft_pool_options two = {.workers = 2};
    const struct sigaction none = {.sa_handler = SIG_DFL};
    weft_future *f;

    for (int n = 1; n < 32; n++)
        (void)sigaction(n, &none, NULL);
    if (weft_deadlock_enable(WEFT_DEADLOCK_REPORT) != WEFT_OK ||
        weft_pool_create(&pool, &two) != WEFT_OK ||
        weft_future_create(&future) != WEFT_OK)
        _exit(1);
    if (how == 2)
        run_task(NULL);
    else if (weft_pool_submit(pool, tasks[how], NULL, &f) == WEFT_OK)
        (void)!weft_future_wait(f, WEFT_FOREVER);
}

START_TEST(test_workers_who_wait_or_idle_wake_nobody)
{
#ifdef WEFT_TSAN
    return; /* it has a thread of its own, which might do anything */
#endif
    static const char *const waits[] = {"waits for future", "waits for future",
                                        "waits for task"};
    listen_to_stderr();
    const pid_t child = fork();
    if (child == 0) {
        hang(_i);
        _exit(0);
    }
    while (!has_said("To mend it"))
        ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert(has_said("weft: possible deadlock: everyone"));
    ck_assert(has_said(waits[_i]));
    ck_assert(!has_said("waits for work")); /* nobody owes it any */
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_wait_is_noted_where_it_is, CALLS * FORMS},
        {&test_who_was_told_waits_for_the_lock, 4},
        {&test_who_waits_again_was_not_told, 1},
        {&test_locks_once_and_joins_can_fail_and_nothing_else,
         (int)WEFT_KIND_COUNT},
        {&test_workers_who_wait_or_idle_wake_nobody, 3},
    };

    if (in_emulator()) {
        puts("left out: qemu-user 7.2 cannot copy an object that may be gone, "
             "so no owner is known there");
        return 77;
    }
    return run_tests("deadlock_waits", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

/* SPDX-License-Identifier: MIT */
/* What a dump says. */
#include <weft/dump.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/thread.h>
#include <weft/timer.h>

#include "config.h"
#include "dumping.h"
#include "testing.h"

START_TEST(test_dump_begins_with_who_waits_in_a_circle)
{
    pthread_setname_np(pthread_self(), "main");
    begin_deadlock();
    dump();
    ck_assert_str_eq(
        dump_outline(),
        "Weft: process ~\n"
        "\n"
        "Who waits\n"
        "  thread 2 \"left\" waits for mutex 0x~ without a deadline, held by "
        "thread 3 \"right\"\n"
        "  thread 3 \"right\" waits for mutex 0x~ without a deadline, held by "
        "thread 2 \"left\"\n"
        "  DEADLOCK: thread 2 -> thread 3 -> thread 2: each waits for the "
        "next\n"
        "\n"
        "Thread 1 \"main\", native id ~: writes this\n"
        "\n"
        "Thread 2 \"left\", native id ~: waits for mutex 0x~ without a "
        "deadline, held by thread 3 \"right\"\n"
        "    holds mutex 0x~; waited for by thread 3 \"right\"\n"
        "\n"
        "Thread 3 \"right\", native id ~: waits for mutex 0x~ without a "
        "deadline, held by thread 2 \"left\"\n"
        "    holds mutex 0x~; waited for by thread 2 \"left\"\n"
        "\n"
        "Locks that nobody waits for are not listed: WEFT_WATCH=1 in the "
        "environment notes them.\n");
}
END_TEST

START_TEST(test_dump_tells_of_each_thread_and_each_lock_once)
{
    weft_watch_enable_(true);
    begin_deadlock();
    dump();
    weft_watch_enable_(false);
    ck_assert_contains(dump_stanza("left"), "    holds mutex ");
    ck_assert_ptr_null(
        strstr(strstr(dump_stanza("left"), "    holds") + 1, "    holds"));
    ck_assert_ptr_null(strstr(dump_text, "\nThread \"left\""));
}
END_TEST

START_TEST(test_circle_that_a_deadline_will_open_is_no_deadlock)
{
    begin_circle(weft_in_s(1000));
    dump();
    ck_assert_contains(dump_outline(),
                       "for at most ~ s more, held by thread 2");
    ck_assert_ptr_null(strstr(dump_text, "DEADLOCK"));
}
END_TEST

START_TEST(test_dump_shows_the_stack_of_a_thread_that_waits)
{
    begin_deadlock();
    dump();
    if (!STACKS_COME)
        return;
    ck_assert_contains(dump_stanza("left"), " take_both");
    ck_assert_contains(dump_stanza("left"), " be_left");
    ck_assert_contains(dump_stanza("left"), "weft_mutex_lock");
    ck_assert_contains(dump_stanza("right"), " take_both");
    ck_assert_contains(dump_stanza("right"), " be_right");
    ck_assert_ptr_null(strstr(dump_stanza("right"), "answer"));
#ifdef HAVE_LIBDW
    ck_assert_contains(dump_stanza("left"), "dumping.c:");
#endif
}
END_TEST

static weft_rmutex lost;

static void *
lose(void *arg)
{
    weft_rmutex_lock(&lost);
    return arg;
}

static void *
want_lost(void *arg)
{
    const enum weft_status s = weft_rmutex_lock_until(&lost, weft_in_s(1000));

    if (s == WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_says_that_the_owner_has_ended)
{
    pthread_join(start_thread(lose, NULL), NULL);
    start_thread(want_lost, NULL);
    await_wait_for(&lost, 1);
    dump();
    ck_assert_contains(dump_outline(),
                       "waits for rmutex 0x~ for at most ~ s more, "
                       "held by thread 2, which has ended\n");
    ck_assert_contains(dump_outline(),
                       "  LOST: rmutex 0x~ was held by thread 2 when that "
                       "ended; nobody can unlock it\n");
    ck_assert_ptr_null(strstr(dump_text, "DEADLOCK"));
}
END_TEST

static void
run_never(void *arg)
{
    (void)arg;
}

static void *
join_timer(void *arg)
{
    if (weft_timer_join(arg, weft_in_s(1000)) == WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_says_until_when_a_thread_waits)
{
    weft_timer *t;

    ck_assert_int_eq(weft_timer_start(&t, WEFT_FOREVER, run_never, NULL),
                     WEFT_OK);
    start_thread(join_timer, t);
    await_wait_for(t, 1);
    dump();
    ck_assert_contains(dump_outline(),
                       "waits for timer 0x~ for at most ~ s more\n");
    double left = 0;
    ck_assert_int_eq(
        sscanf(strstr(dump_text, "at most "), "at most %lf s", &left), 1);
    ck_assert(left > 0 && left <= 1000);
    if (STACKS_COME) { /* inlined or not, it is in src/base/park.c */
        const char *stanza = dump_stanza("weft-timer");
        if (strstr(stanza, "wait_plain") == NULL)
            ck_assert_contains(stanza, "weft_park_wait_");
    }
}
END_TEST

static int pipe_ends[2];
static _Atomic pid_t reader;

static void *
read_pipe(void *arg)
{
    char c;

    pthread_setname_np(pthread_self(), "reader");
    atomic_store_explicit(&reader, (pid_t)syscall(SYS_gettid),
                          memory_order_relaxed);
    while (read(pipe_ends[0], &c, 1) == -1 && errno == EINTR)
        continue;
    return arg;
}

START_TEST(test_dump_shows_who_sleeps_in_the_kernel_and_who_computes)
{
    ck_assert_int_eq(pipe(pipe_ends), 0);
    const pthread_t a = start_thread(read_pipe, NULL);
    const pthread_t b = begin_computing();
    while (reader == 0)
        sched_yield();
    await_system_call(reader, SYS_read);
    dump();
    ck_assert_contains(dump_stanza("reader"), "not known to Weft");
    ck_assert_contains(dump_stanza("reader"), "sleeps in the kernel");
    ck_assert_contains(dump_stanza("computer"), "Thread 2 ");
    ck_assert_contains(dump_stanza("computer"), ": runs\n");
    if (STACKS_COME) {
        ck_assert_contains(dump_stanza("reader"), "read_pipe");
        ck_assert_contains(dump_stanza("computer"), "compute");
    }
    /* The read went on sleeping, and the loop computing. */
    ck_assert_int_eq(write(pipe_ends[1], "x", 1), 1);
    computer = 0;
    ck_assert_int_eq(pthread_join(a, NULL), 0);
    ck_assert_int_eq(pthread_join(b, NULL), 0);
}
END_TEST

START_TEST(test_dump_lists_held_locks_while_watching)
{
    static weft_mutex m;
    static weft_rmutex r;

    weft_watch_enable_(true);
    weft_mutex_lock(&m);
    weft_rmutex_lock(&r);
    dump();
    weft_watch_enable_(false);
    ck_assert_contains(dump_outline(), ": writes this\n    holds mutex 0x~\n"
                                       "    holds rmutex 0x~\n");
    ck_assert_ptr_null(strstr(dump_text, "WEFT_WATCH"));
    weft_rmutex_unlock(&r);
    weft_mutex_unlock(&m);
}
END_TEST

static weft_rwlock rwlock;
static weft_once once;

static void *
want_to_read(void *arg)
{
    if (weft_rwlock_read_lock(&rwlock) != WEFT_OK)
        abort();
    return arg;
}

static void *
want_to_write(void *arg)
{
    if (weft_rwlock_write_lock(&rwlock) != WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_names_the_writer_and_while_watching_the_readers)
{
    pthread_setname_np(pthread_self(), "main");
    ck_assert_int_eq(weft_rwlock_write_lock(&rwlock), WEFT_OK);
    const pthread_t reader_thread = start_thread(want_to_read, NULL);
    await_wait_for_kind(WEFT_KIND_READ);
    dump();
    ck_assert_contains(dump_outline(),
                       " waits for rwlock (to read) 0x~ without a "
                       "deadline, held by thread 1 \"main\"\n");
    ck_assert_int_eq(weft_rwlock_write_unlock(&rwlock), WEFT_OK);
    ck_assert_int_eq(pthread_join(reader_thread, NULL), 0);

    weft_rwlock_init(&rwlock);
    weft_watch_enable_(true);
    ck_assert_int_eq(weft_rwlock_read_lock(&rwlock), WEFT_OK);
    start_thread(want_to_write, NULL);
    await_wait_for_kind(WEFT_KIND_WRITE);
    dump();
    ck_assert_contains(dump_outline(),
                       " waits for rwlock (to write) 0x~ without a "
                       "deadline, held by thread 1 \"main\"\n");
}
END_TEST

struct waiter {
    void *(*run)(void *);
    pthread_t thread;
};

static enum weft_status
dump_inside(void *ctx)
{
    struct waiter *w = ctx;

    w->thread = start_thread(w->run, NULL);
    await_wait_for_kind(WEFT_KIND_ONCE);
    dump();
    return WEFT_OK;
}

static void *
want_once(void *arg)
{
    if (weft_once_run(&once, dump_inside, NULL) != WEFT_OK)
        abort();
    return arg;
}

static void *
join_it(void *arg)
{
    void *result;

    (void)!weft_thread_join(arg, WEFT_FOREVER, &result);
    return arg;
}

static void *
sleep_on_mutex(void *arg)
{
    weft_mutex_lock(arg);
    return arg;
}

START_TEST(test_dump_names_the_thread_that_is_joined_in_full)
{
    static weft_mutex m;
    static const weft_thread_options options = {
        .name = "a name that the kernel cuts off", .daemon = WEFT_DAEMON_YES};
    weft_thread *sleeper;

    weft_mutex_lock(&m);
    ck_assert_int_eq(weft_thread_start(&sleeper, sleep_on_mutex, &m, &options),
                     WEFT_OK);
    start_thread(join_it, sleeper);
    await_wait_for(&m, 1);
    await_wait_for(sleeper, 1);
    dump();
    ck_assert_contains(dump_outline(),
                       " waits for thread 0x~ without a deadline, which is "
                       "thread 2 \"a name that the kernel cuts off\"\n");
    ck_assert_contains(dump_stanza("a name that the kernel cuts off"),
                       ", daemon: waits for mutex ");
}
END_TEST

START_TEST(test_dump_names_who_runs_a_once)
{
    struct waiter other = {.run = want_once};

    pthread_setname_np(pthread_self(), "main");
    ck_assert_int_eq(weft_once_run(&once, dump_inside, &other), WEFT_OK);
    ck_assert_int_eq(pthread_join(other.thread, NULL), 0);
    ck_assert_contains(dump_outline(),
                       " waits for once 0x~ without a deadline, "
                       "held by thread 1 \"main\"\n");
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_dump_begins_with_who_waits_in_a_circle, 1},
        {&test_dump_tells_of_each_thread_and_each_lock_once, 1},
        {&test_circle_that_a_deadline_will_open_is_no_deadlock, 1},
        {&test_dump_shows_the_stack_of_a_thread_that_waits, 1},
        {&test_dump_says_that_the_owner_has_ended, 1},
        {&test_dump_says_until_when_a_thread_waits, 1},
        {&test_dump_shows_who_sleeps_in_the_kernel_and_who_computes, 1},
        {&test_dump_lists_held_locks_while_watching, 1},
        {&test_dump_names_the_writer_and_while_watching_the_readers, 1},
        {&test_dump_names_the_thread_that_is_joined_in_full, 1},
        {&test_dump_names_who_runs_a_once, 1},
    };

    if (in_emulator()) {
        puts("left out: qemu-user 7.2 does not survive the copy of a process "
             "with threads that a dump makes to read symbols");
        return 77;
    }
    return run_tests("dump", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

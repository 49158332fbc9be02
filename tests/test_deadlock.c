/* SPDX-License-Identifier: MIT */
#include <weft/deadlock.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/park.h"
#include "base/tsan.h"
#include "deadlock/watch.h"
#include "deadlocks.h"

static weft_rwlock shared;

static void
until_found(size_t n)
{
    while (weft_deadlock_count() < n)
        sched_yield();
}

static void *
lock_a_then_b(void *unused)
{
    weft_mutex_lock(&a);
    until_waiting(&a, 1);
    const enum weft_status s = weft_mutex_lock(&b);
    weft_mutex_unlock(&a);
    (void)unused;
    return as_pointer(s);
}

START_TEST(test_threads_that_are_reported_stay_as_they_are)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_mutex_lock(&b); /* until the other one has a */
    weft_thread *t[2] = {start(lock_a_then_b, NULL),
                         start(lock_b_then_a, NULL)};
    until_waiting(&b, 1);
    while (!weft_mutex_is_locked(&a))
        sched_yield();
    weft_mutex_unlock(&b);
    until_found(1);
    while (!has_said("To mend it"))
        sched_yield();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(weft_thread_join(t[i], weft_in_ms(1), NULL),
                         WEFT_TIMEOUT);
    ck_assert_uint_eq(weft_deadlock_count(), 1);
}
END_TEST

/* The main thread holds a, the other one b; the main thread waits last. */
START_TEST(test_the_last_to_wait_fails)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_deadlock_name(&a, "first");
    weft_deadlock_name(&b, "second");
    weft_mutex_lock(&a);
    weft_thread *t = start(lock_b_then_a, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_mutex_lock(&b), WEFT_DEADLOCK);
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    ck_assert_uint_eq(weft_deadlock_count(), 1);
    ck_assert(has_said("weft: deadlock: 2 threads wait for each other"));
    ck_assert(has_said("mutex \"first\", taken in"));
    ck_assert(has_said("waits for mutex \"second\" in"));
    ck_assert(has_said("MainThread"));
    ck_assert(has_said("in one order in all threads"));
    ck_assert_int_eq(weft_mutex_lock(&b), WEFT_OK);
}
END_TEST

START_TEST(test_it_is_shown_once_for_the_same_places)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    for (size_t i = 1; i <= 3; i++) {
        weft_mutex_lock(&a);
        weft_thread *t = start(lock_b_then_a, NULL);
        until_waiting(&a, 1);
        ck_assert_int_eq(weft_mutex_lock(&b), WEFT_DEADLOCK);
        ck_assert_uint_eq(weft_deadlock_count(), i);
        weft_mutex_unlock(&a);
        ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
        if (i == 1)
            forget_what_was_said();
    }
    ck_assert(!has_said("deadlock"));
}
END_TEST

START_TEST(test_one_with_a_deadline_is_in_no_deadlock)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    weft_mutex_lock(&a);
    weft_thread *t = start(lock_b_then_a, NULL);
    until_waiting(&a, 1);
    ck_assert_int_eq(weft_mutex_lock_until(&b, weft_in_ms(300)), WEFT_TIMEOUT);
    weft_mutex_unlock(&a);
    ck_assert_ptr_eq(join(t), as_pointer(WEFT_OK));
    ck_assert_uint_eq(weft_deadlock_count(), 0);
    ck_assert(!has_said("deadlock"));
}
END_TEST

/* --- ranks ---------------------------------------------------------------- */

START_TEST(test_a_rank_that_does_not_rise_is_reported)
{
    listen_to_stderr();
    weft_deadlock_name(&a, "low");
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_rank(&a, 1), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_rank(&b, 5), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_rank(&b, 2), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_rank(&shared, 2), WEFT_OK);
    for (int i = 0; i < 2; i++) /* what it has itself breaks no rank */
        weft_rwlock_read_lock(&shared);
    ck_assert_uint_eq(weft_deadlock_count(), 0);
    for (int i = 0; i < 2; i++)
        weft_rwlock_read_unlock(&shared);
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    ck_assert_uint_eq(weft_deadlock_count(), 0);
    weft_rwlock_read_lock(&shared); /* the same as one that is held */
    ck_assert_uint_eq(weft_deadlock_count(), 1);
    ck_assert(has_said("rwlock (to read)"));
    ck_assert(has_said("of rank 2"));
    weft_rwlock_read_unlock(&shared);
    weft_mutex_unlock(&a);
    ck_assert_int_eq(weft_mutex_trylock(&a), WEFT_OK); /* it does not wait */
    ck_assert_uint_eq(weft_deadlock_count(), 1);
    weft_mutex_unlock(&a);
    for (volatile int i = 0; i < 2; i++) { /* once for a place, not unrolled */
        ck_assert_int_eq(weft_mutex_lock(&a), WEFT_OK);
        weft_mutex_unlock(&a);
    }
    ck_assert_uint_eq(weft_deadlock_count(), 2);
    ck_assert(has_said("wants mutex \"low\" of rank 1 in"));
    ck_assert(has_said("take the one of lower rank first"));
}
END_TEST

START_TEST(test_there_is_room_for_a_thousand_ranks)
{
    static const char locks[1001];

    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(weft_deadlock_rank(&locks[i], i), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_rank(&locks[1000], 1), WEFT_NO_MEMORY);
    ck_assert_int_eq(weft_deadlock_rank(&locks[7], 1), WEFT_OK);
}
END_TEST

START_TEST(test_names_without_room_are_forgotten)
{
    static const char locks[2000];

    for (int i = 0; i < 2000; i++)
        weft_deadlock_name(&locks[i], "one");
    weft_deadlock_name(&locks[1], NULL);
}
END_TEST

/* --- processes ------------------------------------------------------------ */

/* Run `body` in a process of its own; return how it ended. */
static int
run_process(void (*body)(void))
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        body();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static enum weft_status
cross_and_tell(void)
{
    weft_mutex_lock(&a);
    start(lock_b_then_a, NULL);
    until_waiting(&a, 1);
    return weft_mutex_lock(&b);
}

static void
cross(void)
{
    (void)!cross_and_tell();
}

static void
cross_and_abort(void)
{
    (void)weft_deadlock_enable(WEFT_DEADLOCK_ABORT);
    cross();
}

START_TEST(test_abort_ends_the_process)
{
    listen_to_stderr();
    const int status = run_process(cross_and_abort);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert(has_said("2 threads wait for each other"));
}
END_TEST

START_TEST(test_a_child_looks_too)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    ck_assert_int_eq(run_process(cross), 0);
    ck_assert(has_said("2 threads wait for each other"));
    ck_assert_uint_eq(weft_deadlock_count(), 0);
}
END_TEST

/* Nobody is left who could set it; the parent ends it. */
static void
lose_a_signal(void)
{
    static weft_event event;
    struct sigaction none = {.sa_handler = SIG_DFL};

    for (int n = 1; n < 32; n++)
        (void)sigaction(n, &none, NULL);
    (void)weft_deadlock_enable(WEFT_DEADLOCK_FAIL);
    (void)!weft_event_wait(&event, WEFT_FOREVER);
}

START_TEST(test_a_lost_signal_is_possible_and_does_not_fail)
{
#ifdef WEFT_TSAN
    return; /* it has a thread of its own, which might do anything */
#endif
    listen_to_stderr();
    const pid_t child = fork();
    if (child == 0) {
        lose_a_signal();
        _exit(0);
    }
    while (!has_said("To mend it"))
        ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert(has_said("weft: possible deadlock: everyone"));
    ck_assert(has_said("waits for event"));
    ck_assert(has_said("not certain: a signal's handler"));
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

/* --- the environment ------------------------------------------------------ */

#define AGAIN "--cross"

/* Run this program again, with that in its environment, to cross two locks. */
static int
run_again(const char *setting)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        setenv("WEFT_DEADLOCK", setting, 1);
        execl("/proc/self/exe", "test_deadlock", AGAIN, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(test_the_environment_enables_it)
{
    char json[] = "/tmp/weft-json-XXXXXX";
    char graph[] = "/tmp/weft-graph-XXXXXX";
    char setting[100];

    close(mkstemp(json));
    close(mkstemp(graph));
    listen_to_stderr();
    snprintf(setting, sizeof(setting), "fail:json=%s:graph=%s", json, graph);
    const int status = run_again(setting);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), WEFT_DEADLOCK);
    ck_assert(has_said("2 threads wait for each other"));
    ck_assert(file_has(json, "{\"shape\":\"cycle\",\"certain\":true"));
    ck_assert(file_has(json, "\"function\":"));
    ck_assert(file_has(graph, "digraph deadlock {"));
    ck_assert(WIFSIGNALED(run_again("abort")));
    unlink(json);
    unlink(graph);
}
END_TEST

/* --- on and off ----------------------------------------------------------- */

START_TEST(test_a_policy_that_is_none_is_refused)
{
    ck_assert_int_eq(weft_deadlock_enable((enum weft_deadlock_policy)4),
                     WEFT_INVALID);
}
END_TEST

START_TEST(test_what_is_unlocked_is_no_longer_held)
{
    const struct weft_self *s = weft_self_get_();

    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    ck_assert_uint_eq(s->held_count, 2);
    ck_assert_ptr_eq(s->held[1].object, &b);
    weft_mutex_unlock(&a); /* not the last */
    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_ptr_eq(s->held[0].object, &b);
    weft_mutex_unlock(&b);
    ck_assert_uint_eq(s->held_count, 0);
}
END_TEST

START_TEST(test_off_is_as_before)
{
    const bool was_on = weft_watching_();

    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    ck_assert(weft_watching_());
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_FAIL), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_OFF), WEFT_OK);
    ck_assert(weft_watching_() == was_on);
    ck_assert(weft_park_look_ == NULL);
}
END_TEST

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], AGAIN) == 0)
        return (int)cross_and_tell();
    static const struct test tests[] = {
        {&test_threads_that_are_reported_stay_as_they_are, 1},
        {&test_the_last_to_wait_fails, 1},
        {&test_it_is_shown_once_for_the_same_places, 1},
        {&test_one_with_a_deadline_is_in_no_deadlock, 1},
        {&test_a_rank_that_does_not_rise_is_reported, 1},
        {&test_there_is_room_for_a_thousand_ranks, 1},
        {&test_names_without_room_are_forgotten, 1},
        {&test_abort_ends_the_process, 1},
        {&test_a_child_looks_too, 1},
        {&test_a_lost_signal_is_possible_and_does_not_fail, 1},
        {&test_the_environment_enables_it, 1},
        {&test_a_policy_that_is_none_is_refused, 1},
        {&test_what_is_unlocked_is_no_longer_held, 1},
        {&test_off_is_as_before, 1},
    };

    if (in_emulator()) {
        puts("left out: qemu-user 7.2 cannot copy an object that may be gone, "
             "so no owner is known there");
        return 77;
    }
    return run_tests("deadlock", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

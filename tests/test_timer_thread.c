/* SPDX-License-Identifier: MIT */
/* The timer thread, what may be missing, and fork and exit. */
#include <weft/timer.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/deadline.h"
#include "testing.h"
#include "timing.h"

/* Wait until the timer thread sleeps, or is about to, until `when`. */
static void
await_sleep_until(weft_deadline when)
{
    while (atomic_load_explicit(&sleeps_until, memory_order_relaxed) != when)
        sched_yield();
}

START_TEST(test_earlier_timer_wakes_the_thread)
{
    const weft_deadline when = weft_in_s(1000);
    struct gate g;

    close_gate(&g);
    weft_timer *late = start_timer(when, 0);
    open_gate(&g);
    await_sleep_until(when);
    finish(start_timer(weft_in_ms(1), 1));
    ck_assert(weft_timer_cancel(late));
    weft_timer_release(late);
}
END_TEST

START_TEST(test_no_thread_while_there_are_no_timers)
{
    for (int i = 0; i < 2; i++) {
        const weft_deadline when = weft_in_s(1000);
        struct gate g;
        ck_assert_uint_eq(count_threads(), 0);
        close_gate(&g);
        weft_timer *t = start_timer(when, 0);
        weft_timer *u = start_timer(when + 1, 0);
        ck_assert_uint_eq(count_threads(), 1);
        open_gate(&g);
        await_sleep_until(when);
        ck_assert(weft_timer_cancel(t));
        ck_assert(weft_timer_cancel(u));
        weft_timer_release(t);
        weft_timer_release(u);
        await_threads(0);
    }
}
END_TEST

START_TEST(test_start_without_a_thread_to_be_had_is_a_system_error)
{
    weft_timer *t = NULL;

    no_threads = true;
    errno = 0;
    alloc_fail_at(0);
    const enum weft_status s = weft_timer_start(&t, WEFT_NOW, note, NULL);
    const int error = errno;
    alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_SYSTEM);
    ck_assert_int_eq(error, EAGAIN);
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(alloc_live(), 0);
    no_threads = false;
    finish(start_timer(WEFT_NOW, 1));
    ck_assert_int_eq(ran_count, 1);
}
END_TEST

START_TEST(test_start_without_memory_changes_nothing)
{
    ck_assert_uint_eq(count_threads(), 0);
    for (unsigned k = 1;; k++) {
        weft_timer *t = NULL;
        alloc_fail_at(k);
        const enum weft_status s =
            weft_timer_start(&t, WEFT_FOREVER, note, NULL);
        const unsigned asked = alloc_fail_stop();
        if (s == WEFT_OK)
            ck_assert(weft_timer_cancel(t));
        else
            ck_assert_ptr_null(t);
        weft_timer_release(t);
        await_threads(0); /* it has given the heap back */
        ck_assert_uint_eq(alloc_live(), 0);
        ck_assert_int_eq(s, asked < k ? WEFT_OK : WEFT_NO_MEMORY);
        if (asked < k)
            break;
    }
}
END_TEST

START_TEST(test_start_without_a_function_is_invalid)
{
    weft_timer *t = NULL;

    ck_assert_uint_eq(count_threads(), 0);
    ck_assert_int_eq(weft_timer_start(&t, WEFT_NOW, NULL, NULL), WEFT_INVALID);
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(count_threads(), 0);
}
END_TEST

#define MANY 100000

struct one {
    weft_timer *timer;
    weft_deadline when;
    int number;
    bool cancelled;
};

static struct one many[MANY];
static const struct one *last_run;
static int out_of_order;
static int many_ran;

static void
check_order(void *arg)
{
    const struct one *o = arg;

    if (o->cancelled || (last_run != NULL && (last_run->when > o->when ||
                                              (last_run->when == o->when &&
                                               last_run->number > o->number))))
        out_of_order++;
    last_run = o;
    many_ran++;
}

START_TEST(test_hundred_thousand_timers_run_in_order_but_for_the_cancelled)
{
    const weft_deadline begin = weft_clock_ns_();
    uint32_t seed = 12345;
    struct gate g;
    int cancelled = 0;

    close_gate(&g);
    for (int i = 0; i < MANY; i++) {
        seed = seed * 1664525u + 1013904223u;
        many[i].when = begin - (int64_t)(seed >> 16); /* many are equal */
        many[i].number = i;
        if (weft_timer_start(&many[i].timer, many[i].when, check_order,
                             &many[i]) != WEFT_OK)
            abort();
        seed = seed * 1664525u + 1013904223u;
        struct one *other = &many[seed % (uint32_t)(i + 1)];
        if (i % 3 == 0 && !other->cancelled) {
            other->cancelled = true;
            cancelled++;
            if (!weft_timer_cancel(other->timer))
                abort();
        }
    }
    open_gate(&g);
    for (int i = 0; i < MANY; i++) {
        if (weft_timer_join(many[i].timer, WEFT_FOREVER) !=
            (many[i].cancelled ? WEFT_CANCELLED : WEFT_OK))
            abort();
        weft_timer_release(many[i].timer);
    }
    ck_assert_int_eq(out_of_order, 0);
    ck_assert_int_gt(cancelled, MANY / 10);
    ck_assert_int_eq(many_ran, MANY - cancelled);
}
END_TEST

static int two = 2;

static void
expect_success(pid_t child)
{
    int status;

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(test_forked_child_has_no_timers_of_its_parent)
{
    struct gate g;

    close_gate(&g);
    weft_timer *t = start_timer(WEFT_NOW, 1);
    const pid_t child = fork();
    if (child == 0) {
        int bad = weft_timer_join(t, WEFT_FOREVER) != WEFT_CANCELLED;
        bad += weft_timer_join(g.timer, WEFT_FOREVER) != WEFT_CANCELLED;
        weft_timer_release(t);
        weft_timer_release(g.timer);
        weft_timer *mine;
        bad += weft_timer_start(&mine, weft_in_ms(1), note, &two) != WEFT_OK;
        bad += weft_timer_join(mine, WEFT_FOREVER) != WEFT_OK;
        bad += ran_count != 1 || ran[0] != 2;
        weft_timer_release(mine);
        _exit(bad);
    }
    expect_success(child);
    open_gate(&g);
    finish(t);
    ck_assert_int_eq(ran_count, 1);
}
END_TEST

struct forking {
    weft_timer *self;
    weft_timer *pending;
    pid_t child;
};

static void
fork_inside(void *arg)
{
    struct forking *f = arg;

    f->child = fork();
    if (f->child != 0)
        return;
    int bad = weft_timer_join(f->pending, WEFT_FOREVER) != WEFT_CANCELLED;
    bad += weft_timer_join(f->self, WEFT_NOW) != WEFT_TIMEOUT; /* it runs */
    bad += weft_timer_start(NULL, WEFT_NOW, note, &two) != WEFT_OK;
    _exit(bad);
}

START_TEST(test_callback_that_forks_goes_on_in_the_child)
{
    struct forking f;

    f.pending = start_timer(WEFT_FOREVER, 1);
    ck_assert_int_eq(weft_timer_start(&f.self, WEFT_NOW, fork_inside, &f),
                     WEFT_OK);
    finish(f.self);
    expect_success(f.child);
    ck_assert(weft_timer_cancel(f.pending));
    weft_timer_release(f.pending);
}
END_TEST

START_TEST(test_pending_timer_does_not_keep_the_process)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        weft_timer *t;
        exit(weft_timer_start(&t, weft_in_s(1000), note, NULL) != WEFT_OK);
    }
    expect_success(child);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_earlier_timer_wakes_the_thread, 1},
        {&test_no_thread_while_there_are_no_timers, 1},
        {&test_start_without_a_thread_to_be_had_is_a_system_error, 1},
        {&test_start_without_memory_changes_nothing, 1},
        {&test_start_without_a_function_is_invalid, 1},
        {&test_hundred_thousand_timers_run_in_order_but_for_the_cancelled, 1},
        {&test_pending_timer_does_not_keep_the_process, 1},
        {&test_forked_child_has_no_timers_of_its_parent, 1},
        {&test_callback_that_forks_goes_on_in_the_child, 1},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: test_forked_child_has_no_timers_of_its_parent and "
             "test_callback_that_forks_goes_on_in_the_child; qemu-user 7.2 "
             "crashes when a process with threads forks");
        count -= 2;
    }
    return run_tests("timer_thread", tests, count, 20);
}

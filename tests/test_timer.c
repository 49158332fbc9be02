/* SPDX-License-Identifier: MIT */
/* When timers run, and what cancel and join say of it. */
#include <weft/timer.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/self.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "timing.h"

START_TEST(test_timer_runs_once_and_not_before_its_time)
{
    const weft_deadline when = weft_in_ms(20);

    finish(start_timer(when, 3));
    ck_assert_int_eq(ran_count, 1);
    ck_assert_int_eq(ran[0], 3);
    ck_assert_int_ge(ran_at, when);
}
END_TEST

static void
note_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
}

struct moment {
    weft_deadline when;
    weft_timer *timer;
    int64_t ran_at;
};

static void
note_moment(void *arg)
{
    ((struct moment *)arg)->ran_at = weft_clock_ns_();
}

START_TEST(test_no_timer_is_early_however_near_others_are)
{
    struct moment m[100];

    for (int i = 0; i < 100; i++) {
        m[i].when = weft_in_us(i * 100 + 1);
        ck_assert_int_eq(
            weft_timer_start(&m[i].timer, m[i].when, note_moment, &m[i]),
            WEFT_OK);
    }
    for (int i = 0; i < 100; i++) {
        finish(m[i].timer);
        ck_assert_int_ge(m[i].ran_at, m[i].when);
    }
}
END_TEST

START_TEST(test_timer_with_a_past_deadline_runs_in_the_timer_thread)
{
    static const weft_deadline past[] = {WEFT_NOW, 1, INT64_MIN};

    for (int i = 0; i < 3; i++) {
        pthread_t by = pthread_self();
        weft_timer *t;
        ck_assert_int_eq(weft_timer_start(&t, past[i], note_thread, &by),
                         WEFT_OK);
        ck_assert_int_eq(weft_timer_join(t, weft_in_s(1000)), WEFT_OK);
        ck_assert(!pthread_equal(by, pthread_self()));
        weft_timer_release(t);
    }
}
END_TEST

START_TEST(test_timer_of_forever_ends_by_cancel_only)
{
    weft_timer *t = start_timer(WEFT_FOREVER, 0);

    finish(start_timer(WEFT_NOW, 1));
    ck_assert_int_eq(weft_timer_join(t, weft_in_ms(5)), WEFT_TIMEOUT);
    ck_assert(weft_timer_cancel(t));
    ck_assert_int_eq(weft_timer_join(t, WEFT_FOREVER), WEFT_CANCELLED);
    ck_assert_int_eq(ran_count, 1);
    weft_timer_release(t);
}
END_TEST

START_TEST(test_timer_cancelled_before_its_time_never_runs)
{
    struct gate g;

    close_gate(&g);
    weft_timer *t =
        start_timer(WEFT_NOW, 1); /* its time has come, it has not run */
    weft_timer *after = start_timer(weft_in_ms(1), 2);
    ck_assert(weft_timer_cancel(t));
    ck_assert(weft_timer_cancel(t)); /* it still never runs */
    open_gate(&g);
    finish(after);
    ck_assert_int_eq(ran_count, 1);
    ck_assert_int_eq(ran[0], 2);
    ck_assert_int_eq(weft_timer_join(t, WEFT_NOW), WEFT_CANCELLED);
    weft_timer_release(t);
}
END_TEST

START_TEST(test_timer_cancel_afterwards_is_a_no_op)
{
    struct gate g;

    close_gate(&g);
    ck_assert(!weft_timer_cancel(g.timer)); /* it runs now */
    sem_post(&g.opened);
    ck_assert_int_eq(weft_timer_join(g.timer, WEFT_FOREVER), WEFT_OK);
    ck_assert(!weft_timer_cancel(g.timer));
    ck_assert_int_eq(weft_timer_join(g.timer, WEFT_NOW), WEFT_OK);
    weft_timer_release(g.timer);
}
END_TEST

START_TEST(test_timer_join_times_out_not_before_its_deadline_and_again)
{
    struct gate g;

    close_gate(&g);
    ck_assert_int_eq(weft_timer_join(g.timer, WEFT_NOW), WEFT_TIMEOUT);
    const weft_deadline end = weft_in_ms(10);
    ck_assert_int_eq(weft_timer_join(g.timer, end), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), end);
    ck_assert_int_eq(weft_timer_join(g.timer, end), WEFT_TIMEOUT);
    open_gate(&g);
}
END_TEST

/* The place is the answer. */
static char answers[WEFT_SYSTEM + 1];

static void *
join_it(void *arg)
{
    return &answers[weft_timer_join(arg, WEFT_FOREVER)];
}

START_TEST(test_timer_may_be_joined_by_several)
{
    struct gate g;
    pthread_t joiners[4];

    close_gate(&g);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&joiners[i], NULL, join_it, g.timer),
                         0);
    sem_post(&g.opened);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(joiners[i], &result);
        ck_assert_ptr_eq(result, &answers[WEFT_OK]);
    }
    weft_timer_release(g.timer);
}
END_TEST

/* Wait until another thread has said that it waits for `object`. */
static void
await_wait_for(const void *object)
{
    for (bool waits = false; !waits; sched_yield()) {
        weft_reclaim_enter_();
        for (struct weft_self *s = weft_self_first_(); s != NULL;
             s = weft_self_next_(s))
            waits = waits || (s->waits_for == object &&
                              s->waits_kind == WEFT_KIND_TIMER);
        weft_reclaim_leave_();
    }
}

START_TEST(test_timer_cancel_wakes_who_joins)
{
    weft_timer *t = start_timer(WEFT_FOREVER, 0);
    pthread_t joiner;
    void *result;

    ck_assert_int_eq(pthread_create(&joiner, NULL, join_it, t), 0);
    await_wait_for(t);
    ck_assert(weft_timer_cancel(t));
    pthread_join(joiner, &result);
    ck_assert_ptr_eq(result, &answers[WEFT_CANCELLED]);
    weft_timer_release(t);
}
END_TEST

START_TEST(test_thread_cancelled_in_a_join_leaves_the_timer_usable)
{
    struct gate g;
    pthread_t joiner;
    void *result;

    close_gate(&g);
    ck_assert_int_eq(pthread_create(&joiner, NULL, join_it, g.timer), 0);
    await_wait_for(g.timer);
    pthread_cancel(joiner);
    pthread_join(joiner, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    open_gate(&g);
}
END_TEST

struct inner {
    weft_timer *self;
    weft_timer *other;
    sem_t know;
    enum weft_status joined[4];
};

static void
join_inside(void *arg)
{
    struct inner *i = arg;

    while (sem_wait(&i->know) != 0)
        continue;
    i->joined[0] = weft_timer_join(i->self, WEFT_FOREVER);
    i->joined[1] = weft_timer_join(i->self, WEFT_NOW);
    i->joined[2] = weft_timer_join(i->other, weft_in_s(1000));
    weft_timer_cancel(i->other);
    i->joined[3] = weft_timer_join(i->other, WEFT_FOREVER);
}

START_TEST(test_timer_joined_in_a_callback_is_a_deadlock)
{
    struct inner i;

    sem_init(&i.know, 0, 0);
    ck_assert_int_eq(weft_timer_start(&i.self, WEFT_NOW, join_inside, &i),
                     WEFT_OK);
    i.other = start_timer(WEFT_FOREVER, 0);
    sem_post(&i.know);
    finish(i.self);
    ck_assert_int_eq(i.joined[0], WEFT_DEADLOCK);
    ck_assert_int_eq(i.joined[1], WEFT_TIMEOUT);
    ck_assert_int_eq(i.joined[2], WEFT_DEADLOCK);
    ck_assert_int_eq(i.joined[3], WEFT_CANCELLED);
    weft_timer_release(i.other);
}
END_TEST

struct chain {
    weft_timer *self; /* written by the start, before it runs */
    int left;
    sem_t done;
};

static void
go_on(void *arg)
{
    struct chain *c = arg;

    weft_timer_release(c->self);
    if (c->left-- == 0)
        sem_post(&c->done);
    else if (weft_timer_start(&c->self, weft_in_us(10), go_on, c) != WEFT_OK)
        abort();
}

START_TEST(test_callback_starts_timers_and_releases_itself)
{
    struct chain c = {.left = 100};

    sem_init(&c.done, 0, 0);
    ck_assert_int_eq(weft_timer_start(&c.self, WEFT_NOW, go_on, &c), WEFT_OK);
    while (sem_wait(&c.done) != 0)
        continue;
    ck_assert_int_eq(c.left, -1);
}
END_TEST

static void
post(void *arg)
{
    sem_post(arg);
}

START_TEST(test_timer_released_still_runs)
{
    sem_t done;

    sem_init(&done, 0, 0);
    weft_timer *t;
    ck_assert_int_eq(weft_timer_start(&t, weft_in_ms(5), post, &done), WEFT_OK);
    weft_timer_release(t);
    ck_assert_int_eq(weft_timer_start(NULL, weft_in_ms(5), post, &done),
                     WEFT_OK);
    for (int i = 0; i < 2; i++)
        while (sem_wait(&done) != 0)
            continue;
    weft_timer_release(NULL);
}
END_TEST

START_TEST(test_late_timers_run_in_the_order_of_deadlines)
{
    static const int order[] = {5, 1, 4, 0, 3, 2};
    const weft_deadline begin = weft_clock_ns_();
    weft_timer *timers[6];
    struct gate g;

    close_gate(&g); /* a callback that takes long */
    for (int i = 0; i < 6; i++)
        timers[i] = start_timer(begin + order[i], order[i]);
    open_gate(&g);
    for (int i = 0; i < 6; i++)
        finish(timers[i]);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(ran[i], i);
}
END_TEST

START_TEST(test_equal_deadlines_run_in_the_order_of_start)
{
    const weft_deadline when = weft_clock_ns_();
    weft_timer *timers[8];
    struct gate g;

    close_gate(&g);
    for (int i = 0; i < 8; i++)
        timers[i] = start_timer(when, i);
    open_gate(&g);
    for (int i = 0; i < 8; i++)
        finish(timers[i]);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(ran[i], i);
}
END_TEST

START_TEST(test_timer_thread_that_oversleeps_loses_none)
{
    weft_timer *timers[4];
    struct gate g;

    close_gate(&g);
    const int64_t begin = weft_clock_ns_();
    for (int i = 3; i >= 0; i--)
        timers[i] = start_timer(begin + (i + 1) * INT64_C(5000000), i);
    oversleep_ns = 12 * 1000 * 1000;
    open_gate(&g); /* and now it sleeps, too long */
    for (int i = 0; i < 4; i++)
        finish(timers[i]);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ran[i], i);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_timer_runs_once_and_not_before_its_time, 1},
        {&test_no_timer_is_early_however_near_others_are, 1},
        {&test_timer_with_a_past_deadline_runs_in_the_timer_thread, 1},
        {&test_timer_of_forever_ends_by_cancel_only, 1},
        {&test_timer_cancelled_before_its_time_never_runs, 1},
        {&test_timer_cancel_afterwards_is_a_no_op, 1},
        {&test_timer_join_times_out_not_before_its_deadline_and_again, 1},
        {&test_timer_may_be_joined_by_several, 1},
        {&test_timer_cancel_wakes_who_joins, 1},
        {&test_thread_cancelled_in_a_join_leaves_the_timer_usable, 1},
        {&test_timer_joined_in_a_callback_is_a_deadlock, 1},
        {&test_callback_starts_timers_and_releases_itself, 1},
        {&test_timer_released_still_runs, 1},
        {&test_late_timers_run_in_the_order_of_deadlines, 1},
        {&test_equal_deadlines_run_in_the_order_of_start, 1},
        {&test_timer_thread_that_oversleeps_loses_none, 1},
    };

    return run_tests("timer", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

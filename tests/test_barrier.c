/* SPDX-License-Identifier: MIT */
/*
 * The rules of weft_barrier; what many threads do at random is in
 * test_barrier_threads.c.
 */
#include <weft/barrier.h>

#include <pthread.h>

#include "base/deadline.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "waiting.h"

#define THREADS 5

static weft_barrier barrier;
static unsigned acts; /* plain: only the last to come writes it */
static enum weft_status act_status;
static _Atomic bool acting;
static _Atomic bool go_on;

/* One wait in a thread of its own. */
struct waiter {
    pthread_t thread;
    weft_deadline deadline;
    enum weft_status status;
    size_t index;
    unsigned acts_seen;
};

static void *
wait_once(void *arg)
{
    struct waiter *w = arg;

    w->status = weft_barrier_wait(&barrier, w->deadline, &w->index);
    if (w->status == WEFT_OK)
        w->acts_seen = acts;
    return NULL;
}

static void
start(struct waiter *w, weft_deadline deadline)
{
    *w = (struct waiter){.deadline = deadline, .index = 99};
    ck_assert_int_eq(pthread_create(&w->thread, NULL, wait_once, w), 0);
}

static enum weft_status
end(struct waiter *w)
{
    ck_assert_int_eq(pthread_join(w->thread, NULL), 0);
    return w->status;
}

static enum weft_status
act(void *ctx)
{
    ck_assert_ptr_eq(ctx, &acts);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    acts++;
    return act_status;
}

static enum weft_status
act_long(void *ctx)
{
    (void)ctx;
    acts++;
    atomic_store_explicit(&acting, true, memory_order_relaxed);
    while (!atomic_load_explicit(&go_on, memory_order_relaxed))
        sched_yield();
    return WEFT_OK;
}

static void
until_acting(void)
{
    while (!atomic_load_explicit(&acting, memory_order_relaxed))
        sched_yield();
}

static void
let_go(void)
{
    atomic_store_explicit(&go_on, true, memory_order_relaxed);
}

static void
set_up(uint32_t parties, enum weft_status (*action)(void *))
{
    ck_assert_int_eq(weft_barrier_init(&barrier, parties, action, &acts),
                     WEFT_OK);
}

static enum weft_status
try_wait(void)
{
    return weft_barrier_wait(&barrier, WEFT_NOW, NULL);
}

/* It works: as many threads as there are parties pass. */
static void
expect_whole(uint32_t parties)
{
    struct waiter w[THREADS];

    ck_assert(!weft_barrier_is_broken(&barrier));
    for (uint32_t i = 0; i < parties; i++)
        start(&w[i], WEFT_FOREVER);
    for (uint32_t i = 0; i < parties; i++)
        ck_assert_int_eq(end(&w[i]), WEFT_OK);
}

START_TEST(test_barrier_wants_at_least_one_party)
{
    ck_assert_int_eq(weft_barrier_init(&barrier, 0, NULL, NULL), WEFT_INVALID);
    ck_assert_int_eq(
        weft_barrier_init(&barrier, WEFT_BARRIER_PARTIES_MAX + 1, NULL, NULL),
        WEFT_INVALID);
    ck_assert_int_eq(
        weft_barrier_init(&barrier, WEFT_BARRIER_PARTIES_MAX, NULL, NULL),
        WEFT_OK);
    ck_assert_uint_le(sizeof(barrier), WEFT_PLAIN_BYTES);
}
END_TEST

START_TEST(test_barrier_gives_each_thread_another_index)
{
    struct waiter w[THREADS];

    set_up(THREADS, NULL);
    for (int round = 0; round < 20; round++) {
        unsigned seen = 0;
        for (size_t i = 0; i < THREADS; i++)
            start(&w[i], WEFT_FOREVER);
        for (size_t i = 0; i < THREADS; i++) {
            ck_assert_int_eq(end(&w[i]), WEFT_OK);
            seen |= 1u << w[i].index;
        }
        ck_assert_uint_eq(seen, (1u << THREADS) - 1);
    }
}
END_TEST

START_TEST(test_barrier_action_runs_once_in_the_last_before_any_is_released)
{
    struct waiter w[THREADS];

    set_up(THREADS, act);
    for (unsigned round = 1; round <= 20; round++) {
        for (size_t i = 0; i < THREADS; i++)
            start(&w[i], WEFT_FOREVER);
        for (size_t i = 0; i < THREADS; i++) {
            ck_assert_int_eq(end(&w[i]), WEFT_OK);
            ck_assert_uint_eq(w[i].acts_seen, round);
        }
    }
    ck_assert_uint_eq(acts, 20);
}
END_TEST

START_TEST(test_barrier_nobody_is_released_while_the_action_runs)
{
    struct waiter w;
    struct waiter last;
    struct waiter next;

    set_up(2, act_long);
    start(&w, WEFT_FOREVER);
    until_waiting(&barrier, 1);
    start(&last, WEFT_FOREVER);
    until_acting();
    ck_assert_uint_eq(count_waiting(&barrier), 1);
    /* A third comes for the next round and is not counted in this one. */
    start(&next, WEFT_FOREVER);
    until_waiting(&barrier, 2);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    let_go();
    ck_assert_int_eq(end(&w), WEFT_OK);
    ck_assert_int_eq(end(&last), WEFT_OK);
    ck_assert_uint_eq(w.index, 0);
    ck_assert_uint_eq(last.index, 1);
    while (weft_barrier_waiting(&barrier) != 1)
        sched_yield();
    ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL), WEFT_OK);
    ck_assert_int_eq(end(&next), WEFT_OK);
    ck_assert_uint_eq(next.index, 0);
}
END_TEST

START_TEST(test_barrier_failed_action_breaks_it)
{
    struct waiter w;
    size_t index = 99;

    act_status = WEFT_FULL;
    set_up(2, act);
    start(&w, WEFT_FOREVER);
    until_waiting(&barrier, 1);
    ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, &index),
                     WEFT_FULL);
    ck_assert_uint_eq(index, 99);
    ck_assert_int_eq(end(&w), WEFT_BROKEN);
    ck_assert_uint_eq(w.index, 99);
    ck_assert(weft_barrier_is_broken(&barrier));
    ck_assert_int_eq(try_wait(), WEFT_BROKEN);
    ck_assert_uint_eq(acts, 1);
}
END_TEST

START_TEST(test_barrier_timeout_breaks_it_for_everyone)
{
    struct waiter w[THREADS - 2];
    struct waiter late;

    set_up(THREADS, act);
    for (size_t i = 0; i < THREADS - 2; i++)
        start(&w[i], WEFT_FOREVER);
    until_waiting(&barrier, THREADS - 2);
    const weft_deadline d = weft_in_ms(20);
    start(&late, d);
    ck_assert_int_eq(end(&late), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), d);
    for (size_t i = 0; i < THREADS - 2; i++)
        ck_assert_int_eq(end(&w[i]), WEFT_BROKEN);
    ck_assert(weft_barrier_is_broken(&barrier));
    ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                     WEFT_BROKEN);
    ck_assert_uint_eq(acts, 0);
    weft_barrier_reset(&barrier);
    expect_whole(THREADS);
}
END_TEST

START_TEST(test_barrier_try_breaks_it_unless_it_is_the_last)
{
    struct waiter w;

    set_up(2, NULL);
    start(&w, WEFT_FOREVER);
    until_waiting(&barrier, 1);
    ck_assert_int_eq(try_wait(), WEFT_OK);
    ck_assert_int_eq(end(&w), WEFT_OK);
    ck_assert_int_eq(try_wait(), WEFT_TIMEOUT);
    ck_assert(weft_barrier_is_broken(&barrier));
    ck_assert_int_eq(try_wait(), WEFT_BROKEN);
}
END_TEST

START_TEST(test_barrier_abort_breaks_it_now_and_later)
{
    struct waiter w[2];

    set_up(3, NULL);
    start(&w[0], WEFT_FOREVER);
    start(&w[1], weft_in_s(3600));
    until_waiting(&barrier, 2);
    weft_barrier_abort(&barrier);
    ck_assert_int_eq(end(&w[0]), WEFT_BROKEN);
    ck_assert_int_eq(end(&w[1]), WEFT_BROKEN);
    ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                     WEFT_BROKEN);
    weft_barrier_abort(&barrier);
    ck_assert(weft_barrier_is_broken(&barrier));
    weft_barrier_reset(&barrier);
    expect_whole(3);
    weft_barrier_abort(&barrier); /* with nobody there */
    ck_assert_int_eq(try_wait(), WEFT_BROKEN);
}
END_TEST

START_TEST(test_barrier_abort_reaches_those_who_wait_for_the_action)
{
    struct waiter w;
    struct waiter last;

    set_up(2, act_long);
    start(&w, WEFT_FOREVER);
    until_waiting(&barrier, 1);
    start(&last, WEFT_FOREVER);
    until_acting();
    weft_barrier_abort(&barrier);
    ck_assert_int_eq(end(&w), WEFT_BROKEN);
    let_go();
    ck_assert_int_eq(end(&last), WEFT_BROKEN);
    weft_barrier_reset(&barrier);
    expect_whole(2);
}
END_TEST

START_TEST(test_barrier_reset_sends_those_who_wait_away_and_it_is_usable)
{
    struct waiter w[2];

    set_up(3, NULL);
    weft_barrier_reset(&barrier); /* nothing to do */
    for (int round = 0; round < 50; round++) {
        start(&w[0], WEFT_FOREVER);
        start(&w[1], WEFT_FOREVER);
        while (weft_barrier_waiting(&barrier) != 2)
            sched_yield();
        weft_barrier_reset(&barrier);
        ck_assert(!weft_barrier_is_broken(&barrier));
        /* Others come while those may still be leaving. */
        expect_whole(3);
        ck_assert_int_eq(end(&w[0]), WEFT_BROKEN);
        ck_assert_int_eq(end(&w[1]), WEFT_BROKEN);
    }
}
END_TEST

/* A reset during the action: its round is not over until who runs it leaves. */
START_TEST(test_barrier_reset_makes_newcomers_wait_until_all_have_left)
{
    struct waiter w;
    struct waiter last;
    struct waiter next;

    set_up(2, act_long);
    start(&w, WEFT_FOREVER);
    until_waiting(&barrier, 1);
    start(&last, WEFT_FOREVER);
    until_acting();
    weft_barrier_reset(&barrier);
    ck_assert_int_eq(end(&w), WEFT_BROKEN);
    start(&next, WEFT_FOREVER);
    until_waiting(&barrier, 1);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    if (_i == 0) {
        let_go();
        ck_assert_int_eq(end(&last), WEFT_BROKEN);
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_FOREVER, NULL),
                         WEFT_OK);
        ck_assert_int_eq(end(&next), WEFT_OK);
        return;
    }
    if (_i == 1) /* a newcomer whose time is over breaks it */
        ck_assert_int_eq(weft_barrier_wait(&barrier, weft_in_ms(5), NULL),
                         WEFT_TIMEOUT);
    else
        weft_barrier_abort(&barrier);
    ck_assert_int_eq(end(&next), WEFT_BROKEN);
    ck_assert(weft_barrier_is_broken(&barrier));
    let_go();
    ck_assert_int_eq(end(&last), WEFT_BROKEN);
    ck_assert(weft_barrier_is_broken(&barrier));
    weft_barrier_reset(&barrier);
    expect_whole(2);
}
END_TEST

START_TEST(test_barrier_waiting_is_0_unless_it_is_filling)
{
    struct waiter w[2];

    set_up(3, act);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    start(&w[0], WEFT_FOREVER);
    until_waiting(&barrier, 1);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 1);
    start(&w[1], WEFT_FOREVER);
    until_waiting(&barrier, 2);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 2);
    ck_assert_int_eq(try_wait(), WEFT_OK); /* act looks, too */
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    ck_assert_int_eq(end(&w[0]), WEFT_OK);
    ck_assert_int_eq(end(&w[1]), WEFT_OK);
    start(&w[0], WEFT_FOREVER);
    until_waiting(&barrier, 1);
    weft_barrier_abort(&barrier);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
    ck_assert_int_eq(end(&w[0]), WEFT_BROKEN);
    ck_assert_uint_eq(weft_barrier_waiting(&barrier), 0);
}
END_TEST

START_TEST(test_barrier_of_one_passes_straight_through)
{
    size_t index = 99;

    set_up(1, _i == 0 ? NULL : act);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(weft_barrier_wait(&barrier, WEFT_NOW, &index),
                         WEFT_OK);
        ck_assert_uint_eq(index, 0);
    }
    ck_assert_uint_eq(acts, _i == 0 ? 0 : 5);
}
END_TEST

START_TEST(test_barrier_cancelled_waiter_breaks_it)
{
    struct waiter w[2];
    void *how;

    set_up(3, NULL);
    start(&w[0], WEFT_FOREVER);
    start(&w[1], WEFT_FOREVER);
    until_waiting(&barrier, 2);
    pthread_cancel(w[0].thread);
    ck_assert_int_eq(pthread_join(w[0].thread, &how), 0);
    ck_assert_ptr_eq(how, PTHREAD_CANCELED);
    ck_assert_int_eq(end(&w[1]), WEFT_BROKEN);
    ck_assert(weft_barrier_is_broken(&barrier));
    weft_barrier_reset(&barrier);
    expect_whole(3);
}
END_TEST

static enum weft_status
leave_the_thread(void *ctx)
{
    (void)ctx;
    pthread_exit(NULL);
    return WEFT_OK;
}

START_TEST(test_barrier_thread_that_ends_in_the_action_breaks_it)
{
    struct waiter w[2];

    set_up(2, leave_the_thread);
    start(&w[0], WEFT_FOREVER);
    until_waiting(&barrier, 1);
    start(&w[1], WEFT_FOREVER);
    ck_assert_int_eq(end(&w[0]), WEFT_BROKEN);
    (void)end(&w[1]);
    ck_assert(weft_barrier_is_broken(&barrier));
    weft_barrier_reset(&barrier);
    ck_assert(!weft_barrier_is_broken(&barrier));
    ck_assert_int_eq(try_wait(), WEFT_TIMEOUT);
}
END_TEST

START_TEST(test_barrier_says_who_waits)
{
    struct waiter w;

    set_up(2, NULL);
    const weft_deadline d = weft_in_s(60);
    start(&w, d);
    until_waiting(&barrier, 1);
    weft_reclaim_enter_();
    for (struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s))
        if (s->waits_for == &barrier) {
            ck_assert_int_eq(s->waits_kind, WEFT_KIND_BARRIER);
            ck_assert_int_eq(s->waits_until, d);
        }
    weft_reclaim_leave_();
    ck_assert_int_eq(try_wait(), WEFT_OK);
    ck_assert_int_eq(end(&w), WEFT_OK);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_barrier_wants_at_least_one_party, 1},
        {&test_barrier_gives_each_thread_another_index, 1},
        {&test_barrier_action_runs_once_in_the_last_before_any_is_released, 1},
        {&test_barrier_nobody_is_released_while_the_action_runs, 1},
        {&test_barrier_failed_action_breaks_it, 1},
        {&test_barrier_timeout_breaks_it_for_everyone, 1},
        {&test_barrier_try_breaks_it_unless_it_is_the_last, 1},
        {&test_barrier_abort_breaks_it_now_and_later, 1},
        {&test_barrier_abort_reaches_those_who_wait_for_the_action, 1},
        {&test_barrier_reset_sends_those_who_wait_away_and_it_is_usable, 1},
        {&test_barrier_reset_makes_newcomers_wait_until_all_have_left, 3},
        {&test_barrier_waiting_is_0_unless_it_is_filling, 1},
        {&test_barrier_of_one_passes_straight_through, 2},
        {&test_barrier_cancelled_waiter_breaks_it, 1},
        {&test_barrier_thread_that_ends_in_the_action_breaks_it, 1},
        {&test_barrier_says_who_waits, 1},
    };

    return run_tests("barrier", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

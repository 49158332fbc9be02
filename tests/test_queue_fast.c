/* SPDX-License-Identifier: MIT */
/*
 * The forms of the blocking queue without a lock, with threads that have
 * stopped at the worst places: what such a thread has done so far is done here
 * by hand, and what it still has to do follows later.
 */
#include <signal.h>
#include <string.h>

#include "base/deadline.h"
#include "blocking.h"
#include "queue/queue_fast.h"
#include "sleepers.h"
#include "testing.h"

#define WAITING 3

/* The numbers of the forms: bounded, first in first out. */
static const int forms[] = {2 * WEFT_LOCKFREE + 1, 2 * WEFT_LOCKLESS + 1};
#define STRICT  0 /* _i of the one in which nobody holds up anybody */
#define BOTH    2
#define LOOSELY 1 /* `forms` of the other */

static struct weft_queue_fast *
open_fast(int i, size_t capacity)
{
    weft_queue_options o = options_of(forms[i], capacity);

    o.drop = drop_noted;
    drop_count = 0;
    return weft_queue_fast_(open_options(&o));
}

/* Everything is as it was before anybody slept. */
static void
end_fast(struct weft_queue_fast *q)
{
    const uint64_t left = WEFT_BELL_SLEEPERS_;

    must((atomic_load_explicit(&q->items.alert, memory_order_relaxed) & left) ==
         0);
    must((atomic_load_explicit(&q->room.alert, memory_order_relaxed) & left) ==
         0);
    must(atomic_load_explicit(&q->items.wakes, memory_order_relaxed) == 0);
    must(atomic_load_explicit(&q->room.wakes, memory_order_relaxed) == 0);
    weft_queue_destroy(&q->base);
}

/* --- what a call that stopped has done ----------------------------------- */

/* A call of the loose form stopped after it had claimed this position. */
struct stopped {
    struct weft_queue_fast *q;
    struct weft_pair *cell;
    uint64_t p;
    void *item;
};

static struct stopped
stop_after_claim(struct weft_queue_fast *q, unsigned side, size_t n)
{
    weft_ring *r = q->ring;
    _Atomic uint64_t *counter = side == PUSH ? &r->tail : &r->head;
    struct stopped s = {.q = q, .item = item(n)};

    s.p = atomic_load_explicit(counter, memory_order_relaxed);
    s.cell = &r->cells[weft_ring_index_(r, s.p)];
    atomic_store_explicit(counter, weft_ring_advance_(r, s.p, 1),
                          memory_order_relaxed);
    return s;
}

/* It goes on to its end, the wake-up included; what its put or get returns. */
static enum weft_status
go_on(struct stopped *s, unsigned side)
{
    weft_ring *r = s->q->ring;
    const uint64_t lap = weft_ring_lap_(r, s->p);

    if (side == PUSH) {
        atomic_store_explicit(&s->cell->item, s->item, memory_order_relaxed);
        atomic_store_explicit(&s->cell->stamp, lap | 1, memory_order_release);
        if (weft_bell_is_heard_(&s->q->items) &&
            weft_bell_ring_(&s->q->items, 1))
            weft_queue_discard_(s->q);
        return WEFT_OK;
    }
    s->item = atomic_load_explicit(&s->cell->item, memory_order_relaxed);
    atomic_store_explicit(&s->cell->stamp, lap + r->one_lap,
                          memory_order_release);
    if (weft_bell_is_heard_(&s->q->room))
        must(!weft_bell_ring_(&s->q->room, 1));
    return WEFT_OK;
}

static enum weft_status
try_get(struct weft_queue_fast *q)
{
    void *got;

    return weft_queue_get(&q->base, &got, WEFT_NOW);
}

static enum weft_status
try_put(struct weft_queue_fast *q, size_t n)
{
    return weft_queue_put(&q->base, item(n), WEFT_NOW);
}

/* --- close --------------------------------------------------------------- */

START_TEST(test_an_item_on_its_way_at_the_close_is_got)
{
    struct weft_queue_fast *q = open_fast(LOOSELY, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);

    weft_queue_close(&q->base, WEFT_DRAIN);
    ck_assert_int_eq(try_get(q), WEFT_EMPTY);
    ck_assert_int_eq(try_put(q, 6), WEFT_CLOSED);
    ck_assert_int_eq(go_on(&put, PUSH), WEFT_OK);
    ck_assert_uint_eq(get_number(&q->base), 5);
    ck_assert_int_eq(try_get(q), WEFT_CLOSED);
    end_fast(q);
}
END_TEST

START_TEST(test_who_waits_for_an_item_on_its_way_hears_of_the_end)
{
    struct weft_queue_fast *q = open_fast(LOOSELY, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);
    struct call get[WAITING];
    unsigned ok = 0;

    for (int k = 0; k < WAITING; k++)
        start_get(&get[k], &q->base, WEFT_FOREVER);
    await_sleepers(&q->items.wakes, WAITING);
    weft_queue_close(&q->base, WEFT_DRAIN);
    await_sleepers(&q->items.wakes, WAITING); /* woken, and again asleep */
    ck_assert_int_eq(go_on(&put, PUSH), WEFT_OK);
    for (int k = 0; k < WAITING; k++)
        if (end_of(&get[k]) == WEFT_OK)
            ok++;
        else
            ck_assert_int_eq(get[k].status, WEFT_CLOSED);
    ck_assert_uint_eq(ok, 1);
    end_fast(q);
}
END_TEST

/* _i: BOTH */
START_TEST(test_a_close_that_stopped_is_finished_by_who_comes)
{
    for (int who = 0; who < 3; who++) {
        struct weft_queue_fast *q = open_fast(_i, 4);
        weft_queue *queues[] = {&q->base};
        size_t index;

        ck_assert_int_eq(try_put(q, 1), WEFT_OK);
        atomic_store_explicit(&q->ended, WEFT_QUEUE_CLOSED_,
                              memory_order_relaxed);
        ck_assert_uint_eq(get_number(&q->base), 1);
        if (who == 0)
            ck_assert_int_eq(try_get(q), WEFT_CLOSED);
        if (who == 1)
            ck_assert_int_eq(weft_queue_wait_any(queues, 1, WEFT_NOW, &index),
                             WEFT_OK);
        if (who == 2) {
            while (try_put(q, 2) == WEFT_OK) {
            } /* as long as nobody has answered CLOSED */
            while (try_get(q) == WEFT_OK) {
            }
        }
        ck_assert_int_eq(try_put(q, 3), WEFT_CLOSED);
        ck_assert_int_eq(try_get(q), WEFT_CLOSED);
        weft_queue_close(&q->base, WEFT_DRAIN);
        ck_assert_int_eq(try_get(q), WEFT_CLOSED);
        end_fast(q);
    }
}
END_TEST

/* _i: BOTH.  The put has pushed, and stopped before it looks who sleeps. */
START_TEST(test_a_put_stopped_before_it_rings_stops_nobody)
{
    struct weft_queue_fast *q = open_fast(_i, 4);

    ck_assert_int_eq(weft_ring_push(q->ring, item(1)), WEFT_OK);
    ck_assert_int_eq(try_put(q, 2), WEFT_OK);
    weft_queue_close(&q->base, WEFT_DRAIN);
    ck_assert_uint_eq(weft_queue_unfinished(&q->base), 2);
    ck_assert_uint_eq(get_number(&q->base), 1);
    ck_assert_uint_eq(get_number(&q->base), 2);
    ck_assert_int_eq(try_get(q), WEFT_CLOSED);
    ck_assert(!weft_bell_is_heard_(&q->items));
    end_fast(q);
}
END_TEST

START_TEST(test_discard_drops_an_item_on_its_way_when_it_comes)
{
    struct weft_queue_fast *q = open_fast(LOOSELY, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);

    ck_assert_int_eq(try_put(q, 6), WEFT_OK);
    weft_queue_close(&q->base, WEFT_DISCARD);
    ck_assert_uint_eq(drop_count, 0);
    ck_assert_int_eq(try_get(q), WEFT_CLOSED);
    ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(go_on(&put, PUSH), WEFT_OK);
    ck_assert_uint_eq(drop_count, 2);
    ck_assert_uint_eq(drops[0], 5);
    ck_assert_uint_eq(drops[1], 6);
    ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_OK);
    end_fast(q);
}
END_TEST

START_TEST(test_nobody_gets_an_item_once_the_queue_is_discarded)
{
    struct weft_queue_fast *q = open_fast(LOOSELY, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);
    void *got[2] = {item(77), item(77)};
    size_t done = 77;

    ck_assert_int_eq(try_put(q, 6), WEFT_OK);
    weft_queue_close(&q->base, WEFT_DISCARD);
    atomic_store_explicit(&put.cell->item, put.item, memory_order_relaxed);
    atomic_store_explicit(&put.cell->stamp, 1, memory_order_release);
    ck_assert_int_eq(weft_queue_get(&q->base, got, WEFT_FOREVER), WEFT_CLOSED);
    ck_assert_uint_eq(drop_count, 1);
    ck_assert_int_eq(weft_queue_get_n(&q->base, got, 2, WEFT_FOREVER, &done),
                     WEFT_CLOSED);
    ck_assert_uint_eq(drop_count, 2);
    ck_assert_uint_eq(done, 77);
    ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_OK);
    end_fast(q);
}
END_TEST

/* --- wake-ups ------------------------------------------------------------ */

/* The wake-up of the second put is spent on an item that cannot be had yet. */
START_TEST(test_a_get_passes_a_wake_up_on_past_a_stopped_put)
{
    struct weft_queue_fast *q = open_fast(LOOSELY, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);
    struct call get[2];

    for (int k = 0; k < 2; k++)
        start_get(&get[k], &q->base, WEFT_FOREVER);
    await_sleepers(&q->items.wakes, 2);
    ck_assert_int_eq(try_put(q, 6), WEFT_OK);
    await_sleepers(&q->items.wakes, 2);
    ck_assert_int_eq(go_on(&put, PUSH), WEFT_OK);
    for (int k = 0; k < 2; k++)
        ck_assert_int_eq(end_of(&get[k]), WEFT_OK);
    ck_assert_uint_eq(number(get[0].item) + number(get[1].item), 11);
    end_fast(q);
}
END_TEST

START_TEST(test_a_put_passes_a_wake_up_on_past_a_stopped_get)
{
    struct weft_queue_fast *q = open_fast(LOOSELY, 2);
    struct call put[2];

    ck_assert_int_eq(try_put(q, 1), WEFT_OK);
    ck_assert_int_eq(try_put(q, 2), WEFT_OK);
    struct stopped get = stop_after_claim(q, POP, 0);
    for (size_t k = 0; k < 2; k++)
        start_put(&put[k], &q->base, 3 + k, WEFT_FOREVER);
    await_sleepers(&q->room.wakes, 2);
    ck_assert_uint_eq(get_number(&q->base), 2);
    await_sleepers(&q->room.wakes, 2);
    ck_assert_int_eq(go_on(&get, POP), WEFT_OK);
    ck_assert_ptr_eq(get.item, item(1));
    for (int k = 0; k < 2; k++)
        ck_assert_int_eq(end_of(&put[k]), WEFT_OK);
    ck_assert_uint_eq(get_number(&q->base) + get_number(&q->base), 7);
    end_fast(q);
}
END_TEST

/* Threads that wait, and are then held up by a signal inside their sleep. */
static atomic_uint held;
static atomic_bool is_held;

static void
hold(int signal)
{
    (void)signal;
    atomic_fetch_add_explicit(&held, 1, memory_order_relaxed);
    while (atomic_load_explicit(&is_held, memory_order_relaxed)) {
    }
}

static void
hold_all(struct call *calls, unsigned n)
{
    const struct sigaction action = {.sa_handler = hold};

    must(sigaction(SIGUSR1, &action, NULL) == 0);
    atomic_store_explicit(&held, 0, memory_order_relaxed);
    atomic_store_explicit(&is_held, true, memory_order_relaxed);
    for (unsigned k = 0; k < n; k++)
        must(pthread_kill(calls[k].thread, SIGUSR1) == 0);
    while (atomic_load_explicit(&held, memory_order_relaxed) != n)
        sched_yield();
}

static void
let_go(void)
{
    atomic_store_explicit(&is_held, false, memory_order_relaxed);
}

/* Start a get with a deadline and hold it up while it sleeps; return the
 * deadline.  On a busy machine it may be over before: then again, longer. */
static weft_deadline
start_held(struct call *get, struct weft_queue_fast *q)
{
    const struct sigaction action = {.sa_handler = hold};

    must(sigaction(SIGUSR1, &action, NULL) == 0);
    for (unsigned ms = 20;; ms *= 2) {
        const weft_deadline end = weft_in_ms(ms);
        atomic_store_explicit(&held, 0, memory_order_relaxed);
        atomic_store_explicit(&is_held, true, memory_order_relaxed);
        start_get(get, &q->base, end);
        while (sleepers(&q->items.wakes) != 1 && weft_clock_ns_() < end)
            sched_yield();
        must(pthread_kill(get->thread, SIGUSR1) == 0);
        while (atomic_load_explicit(&held, memory_order_relaxed) != 1 &&
               weft_clock_ns_() < end)
            sched_yield();
        if (atomic_load_explicit(&held, memory_order_relaxed) == 1 &&
            weft_bell_is_heard_(&q->items))
            return end;
        let_go();
        must(end_of(get) == WEFT_TIMEOUT);
    }
}

/* _i: BOTH.  Both are awake and have not looked; one wake-up is granted. */
START_TEST(test_a_cancelled_get_passes_its_wake_up_on)
{
    struct weft_queue_fast *q = open_fast(_i, 4);
    struct call get[2];

    for (int k = 0; k < 2; k++)
        start_get(&get[k], &q->base, WEFT_FOREVER);
    await_sleepers(&q->items.wakes, 2);
    hold_all(get, 2);
    ck_assert_int_eq(try_put(q, 1), WEFT_OK);
    ck_assert_int_eq(pthread_cancel(get[0].thread), 0);
    ck_assert_int_eq(pthread_join(get[0].thread, NULL), 0);
    let_go();
    ck_assert_int_eq(end_of(&get[1]), WEFT_OK);
    ck_assert_ptr_eq(get[1].item, item(1));
    end_fast(q);
}
END_TEST

/* _i: BOTH.  Another was faster; the wake-up must not stay behind. */
START_TEST(test_a_get_woken_for_nothing_times_out_and_leaves_nothing)
{
    struct weft_queue_fast *q = open_fast(_i, 4);
    struct call get;

    (void)start_held(&get, q);
    ck_assert_int_eq(try_put(q, 1), WEFT_OK);
    ck_assert_uint_eq(get_number(&q->base), 1);
    let_go();
    ck_assert_int_eq(end_of(&get), WEFT_TIMEOUT);
    end_fast(q);
}
END_TEST

/* _i: BOTH.  It is woken when its time is over: it takes what there is. */
START_TEST(test_a_get_woken_too_late_takes_the_item)
{
    struct weft_queue_fast *q = open_fast(_i, 4);
    struct call get;
    const weft_deadline end = start_held(&get, q);

    while (weft_clock_ns_() <= end)
        sched_yield();
    ck_assert_int_eq(try_put(q, 1), WEFT_OK);
    let_go();
    ck_assert_int_eq(end_of(&get), WEFT_OK);
    ck_assert_ptr_eq(get.item, item(1));
    end_fast(q);
}
END_TEST

/* --- numbers ------------------------------------------------------------- */

/* A push has written its cell and stopped before it moves the hint. */
START_TEST(test_a_late_hint_hides_no_task)
{
    struct weft_queue_fast *q = open_fast(STRICT, 8);

    for (size_t k = 0; k < 5; k++)
        ck_assert_int_eq(try_put(q, k), WEFT_OK);
    atomic_store_explicit(&q->ring->tail, 0, memory_order_relaxed);
    ck_assert_uint_eq(weft_queue_unfinished(&q->base), 5);
    for (size_t k = 0; k < 5; k++) {
        ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_TIMEOUT);
        ck_assert_int_eq(weft_queue_task_done(&q->base), WEFT_OK);
        atomic_store_explicit(&q->ring->tail, 0, memory_order_relaxed);
    }
    ck_assert_int_eq(weft_queue_task_done(&q->base), WEFT_INVALID);
    ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_OK);
    end_fast(q);
}
END_TEST

/* Make an unused queue look as if `laps` times its capacity had gone through
 * and was done. */
static void
begin_at_lap(struct weft_queue_fast *q, uint64_t laps)
{
    weft_ring *r = q->ring;
    const uint64_t lap = laps * r->one_lap;

    atomic_store_explicit(&r->tail, lap, memory_order_relaxed);
    atomic_store_explicit(&r->head, lap, memory_order_relaxed);
    for (size_t i = 0; i < r->capacity; i++)
        atomic_store_explicit(&r->cells[i].stamp, lap, memory_order_relaxed);
    atomic_store_explicit(&q->done, laps * r->capacity, memory_order_relaxed);
}

/* _i: BOTH */
START_TEST(test_a_queue_near_the_end_of_its_positions_is_like_any_other)
{
    for (size_t capacity = 1; capacity < 6; capacity++) {
        struct weft_queue_fast *q = open_fast(_i, capacity);
        const uint64_t most = (WEFT_RING_ENDED_ - 1) / q->ring->one_lap;

        begin_at_lap(q, most - 4);
        for (size_t k = 0; k < 3 * capacity; k++) {
            ck_assert_int_eq(try_put(q, k), WEFT_OK);
            ck_assert_uint_eq(weft_queue_unfinished(&q->base), 1);
            ck_assert_uint_eq(get_number(&q->base), k);
            ck_assert_int_eq(weft_queue_task_done(&q->base), WEFT_OK);
            ck_assert_int_eq(weft_queue_task_done(&q->base), WEFT_INVALID);
        }
        ck_assert_int_eq(try_put(q, 1), WEFT_OK);
        weft_queue_close(&q->base, WEFT_DRAIN);
        ck_assert_int_eq(try_put(q, 2), WEFT_CLOSED);
        ck_assert_uint_eq(get_number(&q->base), 1);
        ck_assert_int_eq(try_get(q), WEFT_CLOSED);
        end_fast(q);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_an_item_on_its_way_at_the_close_is_got, 1},
        {&test_who_waits_for_an_item_on_its_way_hears_of_the_end, 1},
        {&test_a_close_that_stopped_is_finished_by_who_comes, BOTH},
        {&test_a_put_stopped_before_it_rings_stops_nobody, BOTH},
        {&test_discard_drops_an_item_on_its_way_when_it_comes, 1},
        {&test_nobody_gets_an_item_once_the_queue_is_discarded, 1},
        {&test_a_get_passes_a_wake_up_on_past_a_stopped_put, 1},
        {&test_a_put_passes_a_wake_up_on_past_a_stopped_get, 1},
        {&test_a_cancelled_get_passes_its_wake_up_on, BOTH},
        {&test_a_get_woken_for_nothing_times_out_and_leaves_nothing, BOTH},
        {&test_a_get_woken_too_late_takes_the_item, BOTH},
        {&test_a_late_hint_hides_no_task, 1},
        {&test_a_queue_near_the_end_of_its_positions_is_like_any_other, BOTH},
    };

    return run_tests("queue_fast", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

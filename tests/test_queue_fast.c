/* SPDX-License-Identifier: MIT */
/*
 * The forms of the blocking queue without a lock, first in first out, with
 * threads that have stopped at the worst places: what such a thread has done so
 * far is done here by hand, and what it still has to do follows later.
 */
#include <string.h>

#include "base/deadline.h"
#include "base/tsan.h"
#include "blocking.h"
#include "held.h"
#include "queue/queue_store.h"
#include "sleepers.h"
#include "testing.h"

#define WAITING 3

/* The numbers of the forms: over a ring, and over a fifo. */
static const int forms[] = {2 * WEFT_LOCKFREE + 1, 2 * WEFT_LOCKFREE,
                            2 * WEFT_LOCKLESS + 1, 2 * WEFT_LOCKLESS};
#define RING   0 /* the first, and a step of 2 */
#define LOOSE  2 /* in these and the next one a stopped call may hold up some */
#define STRICT 2 /* so many before it */
#define ALL    4

/* `room` cells; those of a fifo make one segment. */
static struct weft_queue_fast *
open_fast(int i, size_t room)
{
    weft_queue_options o = options_of(forms[i], room);

    o.drop = drop_noted;
    drop_count = 0;
    weft_fifo_start_.cells = room;
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

/* _i: a loose form */
START_TEST(test_an_item_on_its_way_at_the_close_is_got)
{
    struct weft_queue_fast *q = open_fast(LOOSE + _i, 4);
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

/* _i: a loose form */
START_TEST(test_who_waits_for_an_item_on_its_way_hears_of_the_end)
{
    struct weft_queue_fast *q = open_fast(LOOSE + _i, 4);
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

/* _i: ALL */
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
            for (int k = 0; k < 9 && try_put(q, 2) == WEFT_OK; k++) {
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

/* _i: ALL.  The put has pushed, and stopped before it looks who sleeps. */
START_TEST(test_a_put_stopped_before_it_rings_stops_nobody)
{
    struct weft_queue_fast *q = open_fast(_i, 4);

    ck_assert_int_eq(weft_store_push_(q, q->store, item(1)), WEFT_OK);
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

/* A push appended a segment and stopped before the tail moved on.  _i: one of a
 * fifo, 0 the strict one. */
START_TEST(test_a_close_finds_its_way_past_a_segment_just_appended)
{
    for (size_t n = 0; n < 2; n++) {
        struct weft_queue_fast *q = open_fast(1 + LOOSE * _i, 2);
        weft_fifo *f = q->fifo;

        ck_assert_int_eq(try_put(q, 1), WEFT_OK);
        ck_assert_int_eq(try_put(q, 2), WEFT_OK);
        const struct weft_segments_place full =
            weft_segments_look_(&f->list.tail);
        ck_assert_int_eq(weft_segments_tail_on_(&f->list, &full, NULL),
                         WEFT_OK);
        atomic_store_explicit(&f->list.tail.segment.item, full.s,
                              memory_order_relaxed);
        atomic_store_explicit(&f->list.tail.segment.stamp, full.life,
                              memory_order_relaxed);
        if (n == 1)
            ck_assert_uint_eq(get_number(&q->base), 1);
        weft_queue_close(&q->base, WEFT_DRAIN);
        ck_assert_int_eq(try_put(q, 3), WEFT_CLOSED);
        ck_assert_uint_eq(weft_queue_unfinished(&q->base), 2);
        for (size_t k = 1 + n; k <= 2; k++)
            ck_assert_uint_eq(get_number(&q->base), k);
        ck_assert_int_eq(try_get(q), WEFT_CLOSED);
        ck_assert_int_eq(try_put(q, 3), WEFT_CLOSED);
        end_fast(q);
    }
}
END_TEST

/* _i: a loose form */
START_TEST(test_discard_drops_an_item_on_its_way_when_it_comes)
{
    struct weft_queue_fast *q = open_fast(LOOSE + _i, 4);
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

/* _i: a loose form */
START_TEST(test_nobody_gets_an_item_once_the_queue_is_discarded)
{
    struct weft_queue_fast *q = open_fast(LOOSE + _i, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);
    void *got[2] = {item(77), item(77)};
    size_t done = 77;

    ck_assert_int_eq(try_put(q, 6), WEFT_OK);
    weft_queue_close(&q->base, WEFT_DISCARD);
    fill_cell(&put);
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

/* _i: a loose form.  The close has said so, and stopped. */
START_TEST(test_no_item_is_got_after_a_get_heard_of_a_discard)
{
    struct weft_queue_fast *q = open_fast(LOOSE + _i, 4);
    struct stopped put = stop_after_claim(q, PUSH, 5);

    atomic_store_explicit(&q->ended, WEFT_QUEUE_CLOSED_ | WEFT_QUEUE_DISCARDED_,
                          memory_order_relaxed);
    ck_assert_int_eq(try_get(q), WEFT_CLOSED);
    fill_cell(&put);
    ck_assert_int_eq(try_get(q), WEFT_CLOSED);
    ck_assert_uint_eq(drop_count, 1);
    weft_queue_close(&q->base, WEFT_DISCARD);
    ck_assert_uint_eq(drop_count, 1);
    end_fast(q);
}
END_TEST

/* --- wake-ups ------------------------------------------------------------ */

/* _i: a loose form.  The wake-up of the second put is spent on an item that
 * cannot be had yet. */
START_TEST(test_a_get_passes_a_wake_up_on_past_a_stopped_put)
{
    struct weft_queue_fast *q = open_fast(LOOSE + _i, 4);
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
    struct weft_queue_fast *q = open_fast(LOOSE + RING, 2);
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

/* _i: ALL.  Both are awake and have not looked; one wake-up is granted. */
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

/* _i: ALL.  Another was faster; the wake-up must not stay behind. */
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

/* _i: ALL.  It is woken when its time is over: it takes what there is. */
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

/* A push has done its cell and stopped before it moves the hint. */
static void
set_hint_back(struct weft_queue_fast *q)
{
    if (q->ring != NULL)
        atomic_store_explicit(&q->ring->tail, 0, memory_order_relaxed);
    else
        atomic_store_explicit(&q->fifo->list.tail.position,
                              weft_segments_position_(q->fifo->first_life, 0),
                              memory_order_relaxed);
}

/* _i: STRICT */
START_TEST(test_a_late_hint_hides_no_task)
{
    struct weft_queue_fast *q = open_fast(_i, 8);

    for (size_t k = 0; k < 5; k++)
        ck_assert_int_eq(try_put(q, k), WEFT_OK);
    set_hint_back(q);
    ck_assert_uint_eq(weft_queue_unfinished(&q->base), 5);
    for (size_t k = 0; k < 5; k++) {
        ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_TIMEOUT);
        ck_assert_int_eq(weft_queue_task_done(&q->base), WEFT_OK);
        set_hint_back(q);
    }
    ck_assert_int_eq(weft_queue_task_done(&q->base), WEFT_INVALID);
    ck_assert_int_eq(weft_queue_join(&q->base, WEFT_NOW), WEFT_OK);
    end_fast(q);
}
END_TEST

/* Make an unused queue of a ring look as if `laps` times its capacity had gone
 * through and was done. */
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

static struct weft_queue_fast *
open_near_the_end(int i, size_t room)
{
    weft_fifo_start_.first_life =
        (UINT64_MAX >> WEFT_SEGMENTS_INDEX_BITS) / 2 - 3;
    struct weft_queue_fast *q = open_fast(i, room);
    weft_fifo_start_.first_life = 1;

    if (q->ring != NULL)
        begin_at_lap(q, (WEFT_RING_ENDED_ - 1) / q->ring->one_lap - 4);
    return q;
}

/* _i: ALL */
START_TEST(test_a_queue_near_the_end_of_its_positions_is_like_any_other)
{
    for (size_t room = 1; room < 6; room++) {
        struct weft_queue_fast *q = open_near_the_end(_i, room);

        for (size_t k = 0; k < 3 * room; k++) {
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
        {&test_an_item_on_its_way_at_the_close_is_got, ALL - LOOSE},
        {&test_who_waits_for_an_item_on_its_way_hears_of_the_end, ALL - LOOSE},
        {&test_a_close_that_stopped_is_finished_by_who_comes, ALL},
        {&test_a_put_stopped_before_it_rings_stops_nobody, ALL},
        {&test_a_close_finds_its_way_past_a_segment_just_appended, 2},
        {&test_discard_drops_an_item_on_its_way_when_it_comes, ALL - LOOSE},
        {&test_no_item_is_got_after_a_get_heard_of_a_discard, ALL - LOOSE},
        {&test_nobody_gets_an_item_once_the_queue_is_discarded, ALL - LOOSE},
        {&test_a_get_passes_a_wake_up_on_past_a_stopped_put, ALL - LOOSE},
        {&test_a_put_passes_a_wake_up_on_past_a_stopped_get, 1},
        {&test_a_cancelled_get_passes_its_wake_up_on, ALL},
        {&test_a_get_woken_for_nothing_times_out_and_leaves_nothing, ALL},
        {&test_a_get_woken_too_late_takes_the_item, ALL},
        {&test_a_late_hint_hides_no_task, STRICT},
        {&test_a_queue_near_the_end_of_its_positions_is_like_any_other, ALL},
    };

    return run_tests("queue_fast", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

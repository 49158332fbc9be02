/* SPDX-License-Identifier: MIT */
/*
 * test_queue_counted.c - the inside of the queues that are a stack or a heap
 * between two counters: calls that are stopped in the middle.
 */
#include "contract/blocking.h"
#include "queue/queue_fast.h"
#include "testing.h"
#include "waiting.h"

/* Stacks and heaps, with a capacity and without. */
#define VARIANTS 4

static struct weft_queue_fast *
open_counted(int variant, size_t capacity)
{
    const enum kind kind = variant < 2 ? LAST_OUT : LOWEST_KEY;
    weft_queue *q =
        open_queue((int)kind * 6 + WEFT_LOCKFREE * 2 + variant % 2, capacity);

    ck_assert_ptr_nonnull(q);
    return weft_queue_fast_(q);
}

/* Begin a put of `item` as if its thread was stopped before it rings. */
static void
put_without_ring(struct weft_queue_fast *q, size_t n)
{
    void *in = item(n);
    size_t done;

    ck_assert_int_eq(weft_queue_counted_push_n_(q, &in, 1, &done), WEFT_OK);
    ck_assert_uint_eq(done, 1);
}

/* A put that has claimed and not pushed. */
static void
claim_only(struct weft_queue_fast *q)
{
    atomic_fetch_add_explicit(&q->counted.claims, 1, memory_order_relaxed);
}

static void
push_only(struct weft_queue_fast *q, size_t n)
{
    if (q->counted.stack != NULL)
        ck_assert_int_eq(weft_stack_push(q->counted.stack, item(n)), WEFT_OK);
    else
        ck_assert_int_eq(weft_heap_push(q->counted.heap, item(n)), WEFT_OK);
}

START_TEST(test_a_claim_takes_room_but_is_no_item)
{
    struct weft_queue_fast *q = open_counted(_i, 1);
    void *got;

    claim_only(q);
    ck_assert_int_eq(weft_queue_get(&q->base, &got, WEFT_NOW), WEFT_EMPTY);
    if (is_bounded(_i))
        ck_assert_int_eq(weft_queue_put(&q->base, item(2), WEFT_NOW),
                         WEFT_FULL);
    push_only(q, 1);
    ck_assert_uint_eq(get_number(&q->base), 1);
    put_number(&q->base, 2);
    weft_queue_destroy(&q->base);
}
END_TEST

START_TEST(test_a_drain_waits_for_a_put_in_progress)
{
    struct weft_queue_fast *q = open_counted(_i, 1);
    struct call get;
    void *got;

    claim_only(q);
    ck_assert_int_eq(weft_queue_close(&q->base, WEFT_DRAIN), WEFT_OK);
    ck_assert_int_eq(weft_queue_get(&q->base, &got, WEFT_NOW), WEFT_EMPTY);
    start_get(&get, &q->base, WEFT_FOREVER);
    until_waiting(&q->base, 1);
    push_only(q, 1);
    (void)weft_bell_ring_(&q->items, 1);
    ck_assert_int_eq(end_of(&get), WEFT_OK);
    ck_assert_ptr_eq(get.item, item(1));
    ck_assert_int_eq(weft_queue_get(&q->base, &got, WEFT_NOW), WEFT_CLOSED);
    weft_queue_destroy(&q->base);
}
END_TEST

/* The last item of a closed queue is taken after others have looked for it and
 * gone to sleep, and by a call that wakes nobody for any other reason. */
START_TEST(test_who_takes_the_last_item_wakes_all_who_wait_for_the_end)
{
    struct weft_queue_fast *q = open_counted(_i, 1);
    struct call get[3];
    void *got;

    claim_only(q);
    ck_assert_int_eq(weft_queue_close(&q->base, WEFT_DRAIN), WEFT_OK);
    for (int k = 0; k < 3; k++)
        start_get(&get[k], &q->base, WEFT_FOREVER);
    until_waiting(&q->base, 3);
    while ((atomic_load_explicit(&q->items.alert, memory_order_relaxed) &
            WEFT_BELL_SLEEPERS_) != 3)
        sched_yield();
    /* They may be about to look once more, and take it. */
    push_only(q, 1);
    (void)weft_queue_counted_pop_n_(q, &got, 1);
    size_t closed = 0;
    for (int k = 0; k < 3; k++)
        closed += end_of(&get[k]) == WEFT_CLOSED;
    ck_assert_uint_ge(closed, 2);
    weft_queue_destroy(&q->base);
}
END_TEST

START_TEST(test_what_is_pushed_is_there_before_it_is_rung_for)
{
    struct weft_queue_fast *q = open_counted(_i, 2);

    put_without_ring(q, 1);
    ck_assert_uint_eq(weft_queue_size(&q->base), 1);
    ck_assert_uint_eq(weft_queue_unfinished(&q->base), 1);
    ck_assert_int_eq(q->base.form->look(&q->base), WEFT_QUEUE_ITEMS);
    ck_assert_uint_eq(get_number(&q->base), 1);
    ck_assert_int_eq(q->base.form->look(&q->base), WEFT_QUEUE_EMPTY);
    weft_queue_destroy(&q->base);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_claim_takes_room_but_is_no_item, VARIANTS},
        {&test_a_drain_waits_for_a_put_in_progress, VARIANTS},
        {&test_who_takes_the_last_item_wakes_all_who_wait_for_the_end,
         VARIANTS},
        {&test_what_is_pushed_is_there_before_it_is_rung_for, VARIANTS},
    };

    return run_tests("queue counted", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

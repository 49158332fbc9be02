/* SPDX-License-Identifier: MIT */
/*
 * test_queue.c - options of the blocking queue, and what it does without
 * memory.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "contract/blocking.h"
#include "testing.h"

START_TEST(test_create_wants_an_out_pointer)
{
    const weft_queue_options o = options_of(_i, 1);

    ck_assert_int_eq(weft_queue_create(NULL, &o), WEFT_INVALID);
}
END_TEST

static void
check_invalid(const weft_queue_options *o)
{
    weft_queue *q = (weft_queue *)(void *)&q;

    ck_assert_int_eq(weft_queue_create(&q, o), WEFT_INVALID);
    ck_assert_ptr_eq(q, &q);
}

START_TEST(test_create_wants_options_in_their_range)
{
    weft_queue_options o = options_of(_i, 1);

    o.order = (enum weft_order)3;
    check_invalid(&o);
    o = options_of(_i, 1);
    o.impl = (enum weft_impl)3;
    check_invalid(&o);
}
END_TEST

START_TEST(test_priority_wants_one_function)
{
    weft_queue_options o = options_of(_i, 1);
    const weft_queue_options keyed = options_of(FORMS - 1, 1);

    if (o.order != WEFT_PRIORITY)
        return;
    o.compare = NULL;
    o.key = NULL;
    check_invalid(&o);
    o = options_of(LOWEST_COMPARED * 6, 1);
    o.key = keyed.key;
    check_invalid(&o);
}
END_TEST

START_TEST(test_options_are_copied)
{
    weft_queue_options o = options_of(_i, 2);

    o.drop = drop_noted;
    weft_queue *q = open_options(&o);
    if (q == NULL)
        return;
    memset(&o, 0xab, sizeof(o));
    put_number(q, 1000);
    put_number(q, 2000);
    ck_assert(weft_queue_is_full(q) == is_bounded(_i));
    weft_queue_destroy(q);
    ck_assert_uint_eq(drop_count, 2);
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_queue_destroy(NULL);
}
END_TEST

START_TEST(test_no_options_are_the_defaults)
{
    weft_queue *q = NULL;

    if (weft_queue_create(&q, NULL) != WEFT_OK)
        return;
    for (size_t i = 0; i < 1000; i++)
        put_number(q, i);
    ck_assert(!weft_queue_is_full(q));
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(get_number(q), i);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_create_refuses_what_cannot_be_addressed)
{
    weft_queue_options o = options_of(_i, SIZE_MAX / 2);
    weft_queue *q = (weft_queue *)(void *)&q;

    if (!is_bounded(_i) || o.impl != WEFT_MUTEX)
        return;
    ck_assert_int_eq(weft_queue_create(&q, &o), WEFT_NO_MEMORY);
    o.capacity = SIZE_MAX;
    ck_assert_int_eq(weft_queue_create(&q, &o), WEFT_NO_MEMORY);
    o.capacity = SIZE_MAX / sizeof(void *) + 2;
    ck_assert_int_eq(weft_queue_create(&q, &o), WEFT_NO_MEMORY);
    ck_assert_ptr_eq(q, &q);
}
END_TEST

START_TEST(test_create_without_memory_leaves_nothing_behind)
{
    const weft_queue_options o = options_of(_i, 8);

    for (unsigned k = 1;; k++) {
        weft_queue *q = NULL;
        alloc_fail_at(k);
        const enum weft_status s = weft_queue_create(&q, &o);
        const unsigned asked = alloc_fail_stop();
        if (s == WEFT_INVALID)
            return;
        if (asked < k) {
            ck_assert_int_eq(s, WEFT_OK);
            weft_queue_destroy(q);
            ck_assert_uint_eq(alloc_live(), 0);
            return;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(q);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

/* Put numbers until an allocation fails; the queue stays what it was. */
START_TEST(test_a_put_without_memory_changes_nothing)
{
    weft_queue *q = open_queue(_i, 3000);
    size_t in = 0;

    if (q == NULL)
        return;
    for (int failures = 0; failures < 3 && in < 3000;) {
        alloc_fail_at(1);
        const enum weft_status s = weft_queue_put(q, item(in), WEFT_NOW);
        alloc_fail_stop();
        if (s != WEFT_OK) {
            ck_assert_int_eq(s, WEFT_NO_MEMORY);
            ck_assert(weft_queue_size(q) == in);
            ck_assert(weft_queue_unfinished(q) == in);
            put_number(q, in);
            failures++;
        }
        in++;
        ck_assert(weft_queue_unfinished(q) == in);
    }
    for (size_t k = 0; k < in; k++) {
        const size_t expected = kind_of(_i) == LAST_OUT ? in - 1 - k : k;
        ck_assert_uint_eq(get_number(q), expected);
    }
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_put_n_without_memory_puts_what_it_can)
{
    enum { MANY = 200 };
    static void *in[MANY];
    weft_queue *q = open_queue(_i, MANY);
    size_t put = 0;
    size_t done = 0;

    if (q == NULL)
        return;
    for (size_t i = 0; i < MANY; i++)
        in[i] = item(i);
    for (unsigned k = 1; put < MANY; k++) {
        done = 0;
        alloc_fail_at(k % 3);
        const enum weft_status s =
            weft_queue_put_n(q, in + put, MANY - put, WEFT_NOW, &done);
        alloc_fail_stop();
        ck_assert_int_eq(s, done > 0 ? WEFT_OK : WEFT_NO_MEMORY);
        put += done;
        ck_assert_uint_eq(weft_queue_size(q), put);
        ck_assert_uint_eq(weft_queue_unfinished(q), put);
    }
    for (size_t i = 0; i < MANY; i++)
        ck_assert_uint_eq(get_number(q),
                          kind_of(_i) == LAST_OUT ? MANY - 1 - i : i);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_get_needs_no_memory)
{
    weft_queue *q = open_queue(_i, 3000);

    if (q == NULL)
        return;
    for (size_t i = 0; i < 3000; i++)
        put_number(q, i);
    for (size_t i = 0; i < 3000; i++) {
        void *got = NULL;
        alloc_fail_at(1);
        const enum weft_status s = weft_queue_get(q, &got, WEFT_NOW);
        alloc_fail_stop();
        ck_assert_int_eq(s, WEFT_OK);
        ck_assert_uint_eq(number(got), kind_of(_i) == LAST_OUT ? 2999 - i : i);
    }
    weft_queue_destroy(q);
}
END_TEST

/* Fill it and drain it; how many allocations that took. */
static unsigned
fill_and_drain(weft_queue *q)
{
    void *got;
    bool good = true;

    alloc_fail_at(0);
    for (size_t i = 0; i < 100000; i++)
        good = good && weft_queue_put(q, item(i), WEFT_NOW) == WEFT_OK;
    for (size_t i = 0; i < 100000; i++)
        good = good && weft_queue_get(q, &got, WEFT_NOW) == WEFT_OK;
    const unsigned asked = alloc_fail_stop();
    ck_assert(good);
    return asked;
}

START_TEST(test_a_drained_queue_gives_its_memory_back)
{
    weft_queue *q = open_queue(_i, 0);

    /* The forms without a lock keep some, or give it back later. */
    if (impl_of(_i) != WEFT_MUTEX) {
        weft_queue_destroy(q);
        return;
    }
    const unsigned first = fill_and_drain(q);
    /* It has to ask again for what it gave back. */
    ck_assert_uint_gt(first, 4);
    ck_assert_uint_gt(fill_and_drain(q), first / 2);
    weft_queue_destroy(q);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_wants_an_out_pointer, FORMS},
        {&test_create_wants_options_in_their_range, FORMS},
        {&test_priority_wants_one_function, FORMS},
        {&test_options_are_copied, FORMS},
        {&test_destroy_takes_null, 1},
        {&test_no_options_are_the_defaults, 1},
        {&test_create_refuses_what_cannot_be_addressed, FORMS},
        {&test_create_without_memory_leaves_nothing_behind, FORMS},
        {&test_a_put_without_memory_changes_nothing, FORMS},
        {&test_put_n_without_memory_puts_what_it_can, FORMS},
        {&test_a_get_needs_no_memory, FORMS},
        {&test_a_drained_queue_gives_its_memory_back, FORMS},
    };

    return run_tests("queue", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

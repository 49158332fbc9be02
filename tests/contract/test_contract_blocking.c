/* SPDX-License-Identifier: MIT */
/*
 * test_contract_blocking.c - what one thread sees of a blocking queue.
 */
#include <string.h>

#include "blocking.h"
#include "testing.h"

#define CAPACITY 4

START_TEST(test_a_new_queue_is_empty_and_open)
{
    weft_queue *q = open_queue(_i, CAPACITY);
    void *got = item(77);

    if (q == NULL)
        return;
    ck_assert_uint_eq(weft_queue_size(q), 0);
    ck_assert(weft_queue_is_empty(q));
    ck_assert(!weft_queue_is_full(q));
    ck_assert(!weft_queue_is_closed(q));
    ck_assert_uint_eq(weft_queue_unfinished(q), 0);
    ck_assert_int_eq(weft_queue_get(q, &got, WEFT_NOW), WEFT_EMPTY);
    ck_assert_ptr_eq(got, item(77));
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_OK);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_capacity_is_exact)
{
    for (size_t capacity = 1; capacity < 10; capacity++) {
        weft_queue *q = open_queue(_i, capacity);
        if (q == NULL)
            return;
        for (size_t i = 0; i < capacity; i++) {
            ck_assert(!weft_queue_is_full(q));
            put_number(q, i);
        }
        ck_assert_uint_eq(weft_queue_size(q), capacity);
        ck_assert(weft_queue_is_full(q) == is_bounded(_i));
        ck_assert_int_eq(weft_queue_put(q, item(100), WEFT_NOW),
                         is_bounded(_i) ? WEFT_FULL : WEFT_OK);
        get_number(q);
        put_number(q, 101);
        weft_queue_destroy(q);
    }
}
END_TEST

START_TEST(test_without_capacity_it_is_never_full)
{
    weft_queue *q = open_queue(_i, 0);

    if (q == NULL)
        return;
    for (size_t i = 0; i < 10000; i++)
        put_number(q, i);
    ck_assert(!weft_queue_is_full(q));
    ck_assert_uint_eq(weft_queue_size(q), 10000);
    for (size_t i = 0; i < 10000; i++)
        get_number(q);
    ck_assert(weft_queue_is_empty(q));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_null_is_an_item)
{
    weft_queue *q = open_queue(_i, CAPACITY);
    void *got = item(77);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_put(q, NULL, WEFT_NOW), WEFT_OK);
    ck_assert_uint_eq(weft_queue_size(q), 1);
    ck_assert_int_eq(weft_queue_get(q, &got, WEFT_NOW), WEFT_OK);
    ck_assert_ptr_null(got);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_a_deadline_that_has_passed_is_a_try)
{
    weft_queue *q = open_queue(_i, 1);
    const weft_deadline past = weft_in_ns(1) - 1000;
    void *got = item(77);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_get(q, &got, past), WEFT_EMPTY);
    ck_assert_int_eq(weft_queue_get(q, &got, -5), WEFT_EMPTY);
    ck_assert_ptr_eq(got, item(77));
    ck_assert_int_eq(weft_queue_put(q, item(1), past), WEFT_OK);
    if (is_bounded(_i)) {
        ck_assert_int_eq(weft_queue_put(q, item(2), past), WEFT_FULL);
        ck_assert_int_eq(weft_queue_put(q, item(2), -5), WEFT_FULL);
    }
    ck_assert_int_eq(weft_queue_get(q, &got, past), WEFT_OK);
    ck_assert_ptr_eq(got, item(1));
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_put_n_takes_the_first_that_fit)
{
    weft_queue *q = open_queue(_i, CAPACITY);
    void *in[6];
    size_t done = 77;

    if (q == NULL)
        return;
    for (size_t i = 0; i < 6; i++)
        in[i] = item(i);
    ck_assert_int_eq(weft_queue_put_n(q, in, 0, WEFT_NOW, &done), WEFT_INVALID);
    ck_assert_uint_eq(done, 77);
    ck_assert_int_eq(weft_queue_put_n(q, in, 1, WEFT_NOW, &done), WEFT_OK);
    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(weft_queue_put_n(q, in + 1, 5, WEFT_NOW, &done), WEFT_OK);
    const size_t fit = is_bounded(_i) ? 4 : 6;
    ck_assert_uint_eq(done, fit - 1);
    ck_assert_uint_eq(weft_queue_size(q), fit);
    ck_assert_uint_eq(weft_queue_unfinished(q), fit);
    if (is_bounded(_i)) {
        done = 77;
        ck_assert_int_eq(weft_queue_put_n(q, in, 6, WEFT_NOW, &done),
                         WEFT_FULL);
        ck_assert_uint_eq(done, 77);
    }
    for (size_t i = 0; i < fit; i++)
        ck_assert_uint_eq(get_number(q),
                          kind_of(_i) == LAST_OUT ? fit - 1 - i : i);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_get_n_takes_what_there_is)
{
    weft_queue *q = open_queue(_i, CAPACITY);
    void *out[6] = {item(77)};
    size_t done = 77;

    if (q == NULL)
        return;
    for (size_t i = 0; i < CAPACITY; i++)
        put_number(q, i);
    ck_assert_int_eq(weft_queue_get_n(q, out, 0, WEFT_NOW, &done),
                     WEFT_INVALID);
    ck_assert_ptr_eq(out[0], item(77));
    ck_assert_uint_eq(done, 77);
    ck_assert_int_eq(weft_queue_get_n(q, out, 1, WEFT_NOW, &done), WEFT_OK);
    ck_assert_uint_eq(done, 1);
    out[4] = item(77);
    ck_assert_int_eq(weft_queue_get_n(q, out + 1, 5, WEFT_NOW, &done), WEFT_OK);
    ck_assert_uint_eq(done, CAPACITY - 1);
    for (size_t i = 0; i < CAPACITY; i++)
        ck_assert_uint_eq(number(out[i]),
                          kind_of(_i) == LAST_OUT ? CAPACITY - 1 - i : i);
    ck_assert_ptr_eq(out[4], item(77));
    done = 77;
    ck_assert_int_eq(weft_queue_get_n(q, out, 6, WEFT_NOW, &done), WEFT_EMPTY);
    ck_assert_uint_eq(done, 77);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_equal_priorities_leave_in_order_of_arrival)
{
    static const size_t in[] = {2001, 1001, 2002, 1, 1002, 2, 2003, 3, 1003};
    static const size_t out[] = {1, 2, 3, 1001, 1002, 1003, 2001, 2002, 2003};
    weft_queue *q = open_queue(_i, 9);

    if (q == NULL || kind_of(_i) < LOWEST_COMPARED) {
        weft_queue_destroy(q);
        return;
    }
    for (size_t i = 0; i < 9; i++)
        put_number(q, in[i]);
    for (size_t i = 0; i < 9; i++)
        ck_assert_uint_eq(get_number(q), out[i]);
    weft_queue_destroy(q);
}
END_TEST

START_TEST(test_task_done_counts_what_was_put)
{
    weft_queue *q = open_queue(_i, CAPACITY);

    if (q == NULL)
        return;
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_INVALID);
    put_number(q, 1);
    put_number(q, 2);
    ck_assert_uint_eq(weft_queue_unfinished(q), 2);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_TIMEOUT);
    get_number(q);
    get_number(q);
    ck_assert_uint_eq(weft_queue_unfinished(q), 2);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_OK);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_queue_task_done(q), WEFT_INVALID);
    ck_assert_uint_eq(weft_queue_unfinished(q), 0);
    put_number(q, 3);
    ck_assert_uint_eq(weft_queue_unfinished(q), 1);
    weft_queue_destroy(q);
}
END_TEST

/* Everything that one thread can do, beside an array that does the same. */
#define STEPS      20000
#define MODEL_MOST 40
#define BATCH_MOST 6

struct model {
    weft_queue *q;
    enum kind kind;
    size_t capacity; /* SIZE_MAX: none */
    size_t items[MODEL_MOST];
    size_t count;
    size_t unfinished;
    size_t serial;
    uint64_t random;
};

static size_t
choose(struct model *m, size_t n)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random % n;
}

static void
model_put(struct model *m, size_t n)
{
    void *in[BATCH_MOST];
    size_t numbers[BATCH_MOST];
    size_t done = 0;
    const size_t room = m->capacity - m->count;

    if (m->count + n > MODEL_MOST)
        return;
    for (size_t i = 0; i < n; i++) {
        numbers[i] = choose(m, 4) * 1000 + m->serial++ % 1000;
        in[i] = item(numbers[i]);
    }
    const enum weft_status s =
        n == 1 ? weft_queue_put(m->q, in[0], WEFT_NOW)
               : weft_queue_put_n(m->q, in, n, WEFT_NOW, &done);
    ck_assert_int_eq(s, room == 0 ? WEFT_FULL : WEFT_OK);
    if (s == WEFT_OK && n == 1)
        done = 1;
    ck_assert_uint_eq(done, n < room ? n : room);
    memcpy(m->items + m->count, numbers, done * sizeof(*numbers));
    m->count += done;
    m->unfinished += done;
}

static void
model_get(struct model *m, size_t n)
{
    void *out[BATCH_MOST];
    size_t done = 0;
    const enum weft_status s =
        n == 1 ? weft_queue_get(m->q, out, WEFT_NOW)
               : weft_queue_get_n(m->q, out, n, WEFT_NOW, &done);

    ck_assert_int_eq(s, m->count == 0 ? WEFT_EMPTY : WEFT_OK);
    if (s == WEFT_OK && n == 1)
        done = 1;
    ck_assert_uint_eq(done, n < m->count ? n : m->count);
    for (size_t i = 0; i < done; i++) {
        const size_t k = next_of(m->kind, m->items, m->count);
        ck_assert_uint_eq(number(out[i]), m->items[k]);
        remove_at(m->items, m->count--, k);
    }
}

START_TEST(test_any_sequence_of_calls_is_the_model_s)
{
    struct model m = {.kind = kind_of(_i), .random = 88172645463325252};

    for (size_t capacity = 1; capacity < 9; capacity++) {
        m.q = open_queue(_i, capacity);
        if (m.q == NULL)
            return;
        m.capacity = is_bounded(_i) ? capacity : SIZE_MAX;
        m.count = m.unfinished = 0;
        for (int step = 0; step < STEPS / 8; step++) {
            const size_t what = choose(&m, 5);
            if (what < 2)
                model_put(&m, 1 + choose(&m, BATCH_MOST));
            else if (what < 4)
                model_get(&m, 1 + choose(&m, BATCH_MOST));
            else if (weft_queue_task_done(m.q) == WEFT_OK)
                ck_assert_uint_gt(m.unfinished--, 0);
            else
                ck_assert_uint_eq(m.unfinished, 0);
            ck_assert_uint_eq(weft_queue_size(m.q), m.count);
            ck_assert(weft_queue_is_empty(m.q) == (m.count == 0));
            ck_assert(weft_queue_is_full(m.q) == (m.count == m.capacity));
            ck_assert_uint_eq(weft_queue_unfinished(m.q), m.unfinished);
        }
        weft_queue_destroy(m.q);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_new_queue_is_empty_and_open, FORMS},
        {&test_capacity_is_exact, FORMS},
        {&test_without_capacity_it_is_never_full, FORMS},
        {&test_null_is_an_item, FORMS},
        {&test_a_deadline_that_has_passed_is_a_try, FORMS},
        {&test_put_n_takes_the_first_that_fit, FORMS},
        {&test_get_n_takes_what_there_is, FORMS},
        {&test_equal_priorities_leave_in_order_of_arrival, FORMS},
        {&test_task_done_counts_what_was_put, FORMS},
        {&test_any_sequence_of_calls_is_the_model_s, FORMS},
    };

    return run_tests("blocking queue", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

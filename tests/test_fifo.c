/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_fifo as one thread sees it; _i is the form.
 */
#include <weft/fifo.h>

#include <stdint.h>

#include "alloc_fail.h"
#include "testing.h"

#define FORMS (WEFT_MUTEX + 1)
#define MANY  20000 /* several segments of every form */

static weft_fifo *
new_fifo(int form)
{
    weft_fifo *f = NULL;

    ck_assert_int_eq(weft_fifo_create(&f, (enum weft_impl)form), WEFT_OK);
    return f;
}

static void *
item(uintptr_t number)
{
    return (void *)number;
}

static void
push_number(weft_fifo *f, uintptr_t number)
{
    ck_assert_int_eq(weft_fifo_push(f, item(number)), WEFT_OK);
}

static uintptr_t
pop_number(weft_fifo *f)
{
    void *got;

    ck_assert_int_eq(weft_fifo_pop(f, &got), WEFT_OK);
    return (uintptr_t)got;
}

/* An assertion is a system call: not for every one of many items. */
static void
check_numbers(weft_fifo *f, uintptr_t first, uintptr_t end)
{
    uintptr_t wrong = 0;
    void *got = NULL;

    for (uintptr_t k = first; k < end; k++)
        wrong += weft_fifo_pop(f, &got) != WEFT_OK || got != item(k);
    ck_assert_uint_eq(wrong, 0);
}

static void
push_numbers(weft_fifo *f, uintptr_t first, uintptr_t end)
{
    uintptr_t wrong = 0;

    for (uintptr_t k = first; k < end; k++)
        wrong += weft_fifo_push(f, item(k)) != WEFT_OK;
    ck_assert_uint_eq(wrong, 0);
}

static void
check_empty(weft_fifo *f)
{
    void *got = f;

    ck_assert_uint_eq(weft_fifo_size(f), 0);
    ck_assert_int_eq(weft_fifo_pop(f, &got), WEFT_EMPTY);
    ck_assert_ptr_eq(got, f);
    ck_assert_uint_eq(weft_fifo_pop_n(f, &got, 1), 0);
    ck_assert_ptr_eq(got, f);
}

START_TEST(test_create_wants_an_out_pointer)
{
    ck_assert_int_eq(weft_fifo_create(NULL, (enum weft_impl)_i), WEFT_INVALID);
}
END_TEST

START_TEST(test_create_wants_a_known_form)
{
    weft_fifo *mark = (weft_fifo *)&mark;
    weft_fifo *f = mark;

    ck_assert_int_eq(weft_fifo_create(&f, (enum weft_impl)FORMS), WEFT_INVALID);
    ck_assert_int_eq(weft_fifo_create(&f, (enum weft_impl) - 1), WEFT_INVALID);
    ck_assert_ptr_eq(f, mark);
}
END_TEST

START_TEST(test_create_without_memory_leaves_nothing_behind)
{
    for (unsigned k = 1;; k++) {
        weft_fifo *f = NULL;
        alloc_fail_at(k);
        enum weft_status s = weft_fifo_create(&f, (enum weft_impl)_i);
        unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(s, WEFT_OK);
            ck_assert_uint_gt(k, 2);
            weft_fifo_destroy(f);
            ck_assert_uint_eq(alloc_live(), 0);
            break;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(f);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_fifo_destroy(NULL);
    weft_fifo_destroy_with(NULL, NULL, NULL);
}
END_TEST

START_TEST(test_new_fifo_is_empty)
{
    weft_fifo *f = new_fifo(_i);

    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_null_is_an_item)
{
    weft_fifo *f = new_fifo(_i);
    void *got = f;

    ck_assert_int_eq(weft_fifo_push(f, NULL), WEFT_OK);
    ck_assert_uint_eq(weft_fifo_size(f), 1);
    ck_assert_int_eq(weft_fifo_pop(f, &got), WEFT_OK);
    ck_assert_ptr_null(got);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_every_value_is_an_item)
{
    static const uintptr_t values[] = {
        0, 1, 2, 3, UINTPTR_MAX, UINTPTR_MAX - 1, INTPTR_MAX, 4096, 1u << 31};
    weft_fifo *f = new_fifo(_i);

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        push_number(f, values[i]);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        ck_assert_uint_eq(pop_number(f), values[i]);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_items_come_out_in_the_order_they_went_in)
{
    weft_fifo *f = new_fifo(_i);
    uintptr_t in = 0;
    uintptr_t out = 0;
    uint32_t draw = 12345;
    uintptr_t wrong = 0;

    /* It grows to several segments, and drains to nothing, several times. */
    for (unsigned wave = 0; wave < 6; wave++) {
        uintptr_t turn = in + MANY * (wave + 1) / 2;
        while (in < turn || out < in) {
            draw = draw * 1664525 + 1013904223;
            bool more = (draw >> 16 & 3) != 0;
            void *got = f;
            if (in < turn ? more : !more)
                wrong += weft_fifo_push(f, item(in++)) != WEFT_OK;
            else if (weft_fifo_pop(f, &got) == WEFT_OK)
                wrong += got != item(out++);
            else
                wrong += in != out || got != f;
            wrong += weft_fifo_size(f) != in - out;
        }
        ck_assert_uint_eq(wrong, 0);
        check_empty(f);
    }
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_blocks_and_single_items_keep_one_order)
{
    static const size_t sizes[] = {1, 3, 32, 1000, 5000};
    static void *block[5001];
    weft_fifo *f = new_fifo(_i);
    uintptr_t in = 0;
    uintptr_t out = 0;

    for (size_t turn = 0; turn < 400; turn++) {
        size_t n = sizes[turn % 5];
        for (size_t k = 0; k < n; k++)
            block[k] = item(in + k);
        ck_assert_uint_eq(weft_fifo_push_n(f, block, n), n);
        in += n;
        push_number(f, in++);
        n = sizes[turn * 7 % 5];
        block[n] = f;
        size_t some = weft_fifo_pop_n(f, block, n);
        ck_assert_uint_eq(some, n < in - out ? n : in - out);
        uintptr_t wrong = 0;
        for (size_t k = 0; k < some; k++)
            wrong += block[k] != item(out++);
        ck_assert_uint_eq(wrong, 0);
        ck_assert_ptr_eq(block[n], f);
        if (out < in)
            ck_assert_uint_eq(pop_number(f), out++);
        ck_assert_uint_eq(weft_fifo_size(f), in - out);
    }
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_blocks_of_none_do_nothing)
{
    weft_fifo *f = new_fifo(_i);

    ck_assert_uint_eq(weft_fifo_push_n(f, NULL, 0), 0);
    ck_assert_uint_eq(weft_fifo_pop_n(f, NULL, 0), 0);
    check_empty(f);
    push_number(f, 7);
    ck_assert_uint_eq(weft_fifo_pop_n(f, NULL, 0), 0);
    ck_assert_uint_eq(weft_fifo_size(f), 1);
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_pop_n_takes_what_there_is)
{
    void *got[5] = {0};
    weft_fifo *f = new_fifo(_i);

    for (uintptr_t k = 1; k <= 3; k++)
        push_number(f, k);
    got[3] = f;
    ck_assert_uint_eq(weft_fifo_pop_n(f, got, 5), 3);
    for (uintptr_t k = 1; k <= 3; k++)
        ck_assert_uint_eq((uintptr_t)got[k - 1], k);
    ck_assert_ptr_eq(got[3], f);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

struct dropped {
    uintptr_t next;
    unsigned count;
    unsigned wrong;
};

static void
drop(void *left, void *ctx)
{
    struct dropped *d = ctx;

    d->wrong += left != item(d->next++);
    d->count++;
}

START_TEST(test_destroy_with_hands_over_what_is_left_oldest_first)
{
    static const uintptr_t left[] = {0, 1, 5, MANY};

    for (size_t i = 0; i < 4; i++) {
        struct dropped d = {.next = 100};
        weft_fifo *f = new_fifo(_i);
        push_numbers(f, 0, 100 + left[i]);
        check_numbers(f, 0, 100);
        weft_fifo_destroy_with(f, drop, &d);
        ck_assert_uint_eq(d.count, left[i]);
        ck_assert_uint_eq(d.wrong, 0);
    }
}
END_TEST

START_TEST(test_destroy_frees_what_is_left)
{
    alloc_fail_at(0);
    weft_fifo *f = NULL;
    enum weft_status s = weft_fifo_create(&f, (enum weft_impl)_i);
    unsigned pushed = 0;
    while (s == WEFT_OK && pushed < MANY && weft_fifo_push(f, NULL) == WEFT_OK)
        pushed++;
    weft_fifo_destroy(f);
    (void)alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_uint_eq(pushed, MANY);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

/* Fill `f`, the k-th allocation failing; the numbers that went in are in
 * order. */
static unsigned
push_with_failure(weft_fifo *f, unsigned k, unsigned *refused, bool in_blocks)
{
    void *block[64];

    *refused = 0;
    alloc_fail_at(k);
    for (uintptr_t next = 0; next < MANY;) {
        size_t n = in_blocks ? 64 : 1;
        for (size_t i = 0; i < n; i++)
            block[i] = item(next + i);
        size_t done = in_blocks ? weft_fifo_push_n(f, block, n)
                                : weft_fifo_push(f, block[0]) == WEFT_OK;
        *refused += done < n;
        next += done;
    }
    return alloc_fail_stop();
}

static void
check_failing_pushes(int form, bool in_blocks)
{
    for (unsigned k = 1;; k++) {
        weft_fifo *f = new_fifo(form);
        unsigned refused;
        unsigned asked = push_with_failure(f, k, &refused, in_blocks);
        size_t size = weft_fifo_size(f);
        ck_assert_uint_ge(size, MANY);
        ck_assert_uint_eq(refused, asked >= k);
        check_numbers(f, 0, size);
        check_empty(f);
        weft_fifo_destroy(f);
        if (asked < k) {
            ck_assert_uint_gt(k, 2);
            break;
        }
    }
}

START_TEST(test_a_push_without_memory_changes_nothing)
{
    check_failing_pushes(_i, false);
}
END_TEST

START_TEST(test_a_block_without_memory_goes_in_as_far_as_it_can)
{
    check_failing_pushes(_i, true);
}
END_TEST

START_TEST(test_steady_state_allocates_nothing)
{
    static const uintptr_t depths[] = {1, 100, MANY};

    for (size_t i = 0; i < 3; i++) {
        weft_fifo *f = new_fifo(_i);
        uintptr_t in = 0;
        uintptr_t out = 0;
        unsigned wrong = 0;
        push_numbers(f, 0, depths[i]);
        for (in = depths[i]; in < depths[i] + MANY; in++, out++) {
            void *got = NULL;
            wrong += weft_fifo_push(f, item(in)) != WEFT_OK;
            wrong += weft_fifo_pop(f, &got) != WEFT_OK || got != item(out);
        }
        alloc_fail_at(1);
        for (unsigned k = 0; k < 10 * MANY; k++) {
            void *got = NULL;
            wrong += weft_fifo_push(f, item(in++)) != WEFT_OK;
            wrong += weft_fifo_pop(f, &got) != WEFT_OK || got != item(out++);
        }
        unsigned asked = alloc_fail_stop();
        ck_assert_uint_eq(wrong, 0);
        ck_assert_uint_eq(asked, 0);
        weft_fifo_destroy(f);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_wants_an_out_pointer, FORMS},
        {&test_create_wants_a_known_form, FORMS},
        {&test_create_without_memory_leaves_nothing_behind, FORMS},
        {&test_destroy_takes_null, 1},
        {&test_new_fifo_is_empty, FORMS},
        {&test_null_is_an_item, FORMS},
        {&test_every_value_is_an_item, FORMS},
        {&test_items_come_out_in_the_order_they_went_in, FORMS},
        {&test_blocks_and_single_items_keep_one_order, FORMS},
        {&test_blocks_of_none_do_nothing, FORMS},
        {&test_pop_n_takes_what_there_is, FORMS},
        {&test_destroy_with_hands_over_what_is_left_oldest_first, FORMS},
        {&test_destroy_frees_what_is_left, FORMS},
        {&test_a_push_without_memory_changes_nothing, FORMS},
        {&test_a_block_without_memory_goes_in_as_far_as_it_can, FORMS},
        {&test_steady_state_allocates_nothing, FORMS},
    };

    return run_tests("fifo", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

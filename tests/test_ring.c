/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_ring as one thread sees it; _i is the form.
 */
#include <weft/ring.h>

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "testing.h"

#define FORMS (WEFT_MUTEX + 1)

#if defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#define INSTRUMENTED __has_feature(thread_sanitizer)
#else
#define INSTRUMENTED 0
#endif

static const size_t capacities[] = {1, 2, 3, 7, 8, 1000};
#define CAPACITIES (sizeof(capacities) / sizeof(capacities[0]))

static weft_ring *
new_ring(size_t capacity, int form)
{
    weft_ring *r = NULL;

    ck_assert_int_eq(weft_ring_create(&r, capacity, (enum weft_impl)form),
                     WEFT_OK);
    return r;
}

static void *
item(uintptr_t number)
{
    return (void *)number;
}

static uintptr_t
pop_number(weft_ring *r)
{
    void *got;

    ck_assert_int_eq(weft_ring_pop(r, &got), WEFT_OK);
    return (uintptr_t)got;
}

START_TEST(test_create_wants_an_out_pointer)
{
    ck_assert_int_eq(weft_ring_create(NULL, 8, (enum weft_impl)_i),
                     WEFT_INVALID);
}
END_TEST

START_TEST(test_create_wants_a_capacity)
{
    weft_ring *mark = (weft_ring *)&mark;
    weft_ring *r = mark;

    ck_assert_int_eq(weft_ring_create(&r, 0, (enum weft_impl)_i), WEFT_INVALID);
    ck_assert_ptr_eq(r, mark);
}
END_TEST

START_TEST(test_create_wants_a_known_form)
{
    weft_ring *mark = (weft_ring *)&mark;
    weft_ring *r = mark;

    ck_assert_int_eq(weft_ring_create(&r, 8, (enum weft_impl)FORMS),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_ring_create(&r, 8, (enum weft_impl) - 1),
                     WEFT_INVALID);
    ck_assert_ptr_eq(r, mark);
}
END_TEST

START_TEST(test_create_refuses_what_cannot_be_addressed)
{
    static const size_t too_many[] = {
        SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 8 + 2, PTRDIFF_MAX / 8,
        PTRDIFF_MAX / 16 /* for WEFT_MUTEX one that nobody has */
    };
    weft_ring *mark = (weft_ring *)&mark;
    weft_ring *r = mark;
    size_t n = sizeof(too_many) / sizeof(too_many[0]);

    if (_i == WEFT_MUTEX)
        n--;
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(weft_ring_create(&r, too_many[i], (enum weft_impl)_i),
                         WEFT_NO_MEMORY);
        ck_assert_ptr_eq(r, mark);
    }
}
END_TEST

START_TEST(test_create_without_memory_leaves_nothing_behind)
{
    for (unsigned k = 1;; k++) {
        weft_ring *r = NULL;
        alloc_fail_at(k);
        enum weft_status s = weft_ring_create(&r, 8, (enum weft_impl)_i);
        unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(s, WEFT_OK);
            ck_assert_uint_gt(k, 1);
            weft_ring_destroy(r);
            ck_assert_uint_eq(alloc_live(), 0);
            break;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(r);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_ring_destroy(NULL);
}
END_TEST

/* What was dropped, in its order. */
struct dropped {
    void *items[8];
    size_t count;
};

static void
drop(void *left, void *ctx)
{
    struct dropped *d = ctx;

    d->items[d->count++ % 8] = left;
}

START_TEST(test_destroy_hands_over_what_is_left_oldest_first)
{
    for (uintptr_t left = 0; left <= 5; left++) {
        weft_ring *r = new_ring(5, _i);
        struct dropped d = {.count = 0};
        void *got;

        /* Round the end, and NULL is one of them. */
        for (uintptr_t i = 0; i < 3; i++) {
            ck_assert_int_eq(weft_ring_push(r, item(9)), WEFT_OK);
            ck_assert_int_eq(weft_ring_pop(r, &got), WEFT_OK);
        }
        for (uintptr_t i = 0; i < left; i++)
            ck_assert_int_eq(weft_ring_push(r, item(i)), WEFT_OK);
        weft_ring_destroy_with(r, drop, &d);
        ck_assert_uint_eq(d.count, left);
        for (uintptr_t i = 0; i < left; i++)
            ck_assert_ptr_eq(d.items[i], item(i));
    }
}
END_TEST

START_TEST(test_destroy_without_drop_forgets_what_is_left)
{
    weft_ring *r = NULL;

    weft_ring_destroy_with(NULL, drop, NULL);
    alloc_fail_at(0);
    enum weft_status s = weft_ring_create(&r, 5, (enum weft_impl)_i);
    enum weft_status pushed = weft_ring_push(r, r);
    weft_ring_destroy_with(r, NULL, NULL);
    alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(pushed, WEFT_OK);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_capacity_is_what_was_asked_for)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        weft_ring *r = new_ring(capacities[i], _i);
        ck_assert_uint_eq(weft_ring_capacity(r), capacities[i]);
        weft_ring_destroy(r);
    }
}
END_TEST

START_TEST(test_new_ring_is_empty)
{
    weft_ring *r = new_ring(3, _i);
    void *got = r;

    ck_assert_uint_eq(weft_ring_size(r), 0);
    ck_assert_int_eq(weft_ring_pop(r, &got), WEFT_EMPTY);
    ck_assert_ptr_eq(got, r);
    weft_ring_destroy(r);
}
END_TEST

START_TEST(test_holds_exactly_its_capacity_in_every_lap)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        size_t capacity = capacities[i];
        weft_ring *r = new_ring(capacity, _i);
        uintptr_t in = 0;
        uintptr_t out = 0;

        /* One item stays over, so that each lap begins at another cell. */
        for (int lap = 0; lap < 20; lap++) {
            while (weft_ring_push(r, item(in)) == WEFT_OK)
                in++;
            ck_assert_uint_eq(in - out, capacity);
            ck_assert_uint_eq(weft_ring_size(r), capacity);
            size_t keep = capacity > 1 ? 1 : 0;
            while (in - out > keep)
                ck_assert_uint_eq(pop_number(r), out++);
            ck_assert_uint_eq(weft_ring_size(r), keep);
        }
        weft_ring_destroy(r);
    }
}
END_TEST

START_TEST(test_items_come_out_in_the_order_they_went_in)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        weft_ring *r = new_ring(capacities[i], _i);
        uintptr_t in = 0;
        uintptr_t out = 0;
        uint32_t draw = 12345;

        while (out < 5000) {
            draw = draw * 1664525 + 1013904223;
            if ((draw >> 16 & 1) == 0) {
                if (weft_ring_push(r, item(in)) == WEFT_OK)
                    in++;
                else
                    ck_assert_uint_eq(in - out, capacities[i]);
            } else {
                void *got;
                if (weft_ring_pop(r, &got) == WEFT_OK)
                    ck_assert_uint_eq((uintptr_t)got, out++);
                else
                    ck_assert_uint_eq(in, out);
            }
            ck_assert_uint_eq(weft_ring_size(r), in - out);
        }
        weft_ring_destroy(r);
    }
}
END_TEST

START_TEST(test_null_is_an_item)
{
    weft_ring *r = new_ring(2, _i);
    void *got = r;

    ck_assert_int_eq(weft_ring_push(r, NULL), WEFT_OK);
    ck_assert_uint_eq(weft_ring_size(r), 1);
    ck_assert_int_eq(weft_ring_pop(r, &got), WEFT_OK);
    ck_assert_ptr_null(got);
    ck_assert_int_eq(weft_ring_pop(r, &got), WEFT_EMPTY);
    weft_ring_destroy(r);
}
END_TEST

START_TEST(test_push_n_takes_the_first_that_fit)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        size_t capacity = capacities[i];
        weft_ring *r = new_ring(capacity, _i);
        void *items[1003];
        for (size_t k = 0; k < capacity + 3; k++)
            items[k] = item(k);

        /* One in and out: the block goes round the end. */
        ck_assert_int_eq(weft_ring_push(r, NULL), WEFT_OK);
        (void)pop_number(r);
        ck_assert_uint_eq(weft_ring_push_n(r, items, 0), 0);
        ck_assert_uint_eq(weft_ring_push_n(r, items, capacity + 3), capacity);
        ck_assert_uint_eq(weft_ring_push_n(r, items, 1), 0);
        for (size_t k = 0; k < capacity; k++)
            ck_assert_uint_eq(pop_number(r), k);
        ck_assert_uint_eq(weft_ring_size(r), 0);
        weft_ring_destroy(r);
    }
}
END_TEST

START_TEST(test_pop_n_takes_the_oldest_there_are)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        size_t capacity = capacities[i];
        weft_ring *r = new_ring(capacity, _i);
        void *got[1003];
        for (size_t k = 0; k < capacity + 3; k++)
            got[k] = r;

        ck_assert_uint_eq(weft_ring_pop_n(r, got, 5), 0);
        ck_assert_ptr_eq(got[0], r);
        ck_assert_int_eq(weft_ring_push(r, NULL), WEFT_OK);
        (void)pop_number(r);
        for (size_t k = 0; k < capacity; k++)
            ck_assert_int_eq(weft_ring_push(r, item(k)), WEFT_OK);
        ck_assert_uint_eq(weft_ring_pop_n(r, got, 0), 0);
        ck_assert_uint_eq(weft_ring_pop_n(r, got, capacity + 3), capacity);
        for (size_t k = 0; k < capacity; k++)
            ck_assert_uint_eq((uintptr_t)got[k], k);
        ck_assert_ptr_eq(got[capacity], r);
        ck_assert_ptr_eq(got[capacity + 2], r);
        weft_ring_destroy(r);
    }
}
END_TEST

START_TEST(test_blocks_and_single_items_keep_one_order)
{
    weft_ring *r = new_ring(7, _i);
    uintptr_t in = 0;
    uintptr_t out = 0;

    for (size_t turn = 0; turn < 2000; turn++) {
        void *block[5];
        for (size_t k = 0; k < 5; k++)
            block[k] = item(in + k);
        size_t room = 7 - (in - out);
        size_t n = turn % 6;
        size_t fit = n < room ? n : room;
        ck_assert_uint_eq(weft_ring_push_n(r, block, n), fit);
        in += fit;
        if (weft_ring_push(r, item(in)) == WEFT_OK)
            in++;
        size_t some = weft_ring_pop_n(r, block, 1 + turn % 4);
        for (size_t k = 0; k < some; k++)
            ck_assert_uint_eq((uintptr_t)block[k], out++);
        ck_assert_uint_eq(weft_ring_size(r), in - out);
    }
    weft_ring_destroy(r);
}
END_TEST

static size_t
resident_bytes(void)
{
    size_t all;
    size_t resident;
    FILE *f = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%zu %zu", &all, &resident), 2);
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(test_a_big_ring_takes_memory_only_as_it_fills)
{
    /* ThreadSanitizer's calloc writes all of it. */
    if (INSTRUMENTED)
        return;

    size_t capacity = (size_t)1 << 24; /* 128 or 256 MiB */
    size_t before = resident_bytes();
    weft_ring *r = new_ring(capacity, _i);

    ck_assert_int_eq(weft_ring_push(r, item(1)), WEFT_OK);
    ck_assert_uint_lt(resident_bytes(), before + 4 * capacity);
    ck_assert_uint_eq(weft_ring_size(r), 1);
    ck_assert_uint_eq(pop_number(r), 1);
    weft_ring_destroy(r);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_wants_an_out_pointer, FORMS},
        {&test_create_wants_a_capacity, FORMS},
        {&test_create_wants_a_known_form, FORMS},
        {&test_create_refuses_what_cannot_be_addressed, FORMS},
        {&test_create_without_memory_leaves_nothing_behind, FORMS},
        {&test_destroy_takes_null, 1},
        {&test_destroy_hands_over_what_is_left_oldest_first, FORMS},
        {&test_destroy_without_drop_forgets_what_is_left, FORMS},
        {&test_capacity_is_what_was_asked_for, FORMS},
        {&test_new_ring_is_empty, FORMS},
        {&test_holds_exactly_its_capacity_in_every_lap, FORMS},
        {&test_items_come_out_in_the_order_they_went_in, FORMS},
        {&test_null_is_an_item, FORMS},
        {&test_push_n_takes_the_first_that_fit, FORMS},
        {&test_pop_n_takes_the_oldest_there_are, FORMS},
        {&test_blocks_and_single_items_keep_one_order, FORMS},
        {&test_a_big_ring_takes_memory_only_as_it_fills, FORMS},
    };

    return run_tests("ring", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

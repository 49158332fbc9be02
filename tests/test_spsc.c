/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_spsc as one thread sees it; _i is the form.
 */
#include <weft/spsc.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "testing.h"

#define IMPLS (WEFT_MUTEX + 1)

static const size_t capacities[] = {1, 2, 3, 4, 6, 7, 8, 13, 64, 1000};
#define CAPACITIES (sizeof(capacities) / sizeof(capacities[0]))

/* No item of a test; what must stay untouched has this. */
#define UNTOUCHED ((void *)(uintptr_t)0x5afe5afe5afe5afe)

static weft_spsc *
make(size_t capacity, int impl)
{
    weft_spsc *r;

    ck_assert_int_eq(weft_spsc_create(&r, capacity, (enum weft_impl)impl),
                     WEFT_OK);
    return r;
}

static void *
item(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static void
check_empty(weft_spsc *r)
{
    void *got = UNTOUCHED;

    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_EMPTY);
    ck_assert_ptr_eq(got, UNTOUCHED);
    ck_assert_uint_eq(weft_spsc_size(r), 0);
}

START_TEST(test_create_refuses_what_it_does_not_know)
{
    weft_spsc *r = NULL;

    ck_assert_int_eq(weft_spsc_create(NULL, 1, WEFT_LOCKFREE), WEFT_INVALID);
    ck_assert_int_eq(weft_spsc_create(&r, 0, WEFT_LOCKFREE), WEFT_INVALID);
    ck_assert_int_eq(weft_spsc_create(&r, 1, (enum weft_impl)IMPLS),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_spsc_create(&r, 1, (enum weft_impl) - 1),
                     WEFT_INVALID);
    ck_assert_ptr_null(r);
}
END_TEST

START_TEST(test_create_without_memory_changes_nothing)
{
    static const size_t beyond[] = {SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 16,
                                    PTRDIFF_MAX / 32 + 1};
    weft_spsc *r = NULL;

    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
        ck_assert_int_eq(weft_spsc_create(&r, beyond[i], (enum weft_impl)_i),
                         WEFT_NO_MEMORY);
    ck_assert_ptr_null(r);

    for (unsigned k = 1;; k++) {
        alloc_fail_at(k);
        enum weft_status s = weft_spsc_create(&r, 10, (enum weft_impl)_i);
        if (alloc_fail_stop() < k) {
            ck_assert_int_eq(s, WEFT_OK);
            break;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(r);
        ck_assert_uint_eq(alloc_live(), 0);
    }
    weft_spsc_destroy(r);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_spsc_destroy(NULL);
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
        weft_spsc *r = make(5, _i);
        struct dropped d = {.count = 0};
        void *got;

        /* Round the end, and NULL is one of them. */
        for (uintptr_t i = 0; i < 3; i++) {
            ck_assert_int_eq(weft_spsc_push(r, item(9)), WEFT_OK);
            ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
        }
        for (uintptr_t i = 0; i < left; i++)
            ck_assert_int_eq(weft_spsc_push(r, item(i)), WEFT_OK);
        weft_spsc_destroy_with(r, drop, &d);
        ck_assert_uint_eq(d.count, left);
        for (uintptr_t i = 0; i < left; i++)
            ck_assert_ptr_eq(d.items[i], item(i));
    }
}
END_TEST

START_TEST(test_destroy_without_drop_forgets_what_is_left)
{
    weft_spsc *r = NULL;

    weft_spsc_destroy_with(NULL, drop, NULL);
    alloc_fail_at(0);
    enum weft_status s = weft_spsc_create(&r, 5, (enum weft_impl)_i);
    enum weft_status pushed = weft_spsc_push(r, r);
    weft_spsc_destroy_with(r, NULL, NULL);
    alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    ck_assert_int_eq(pushed, WEFT_OK);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_capacity_is_exact_over_many_laps)
{
    for (size_t k = 0; k < CAPACITIES; k++) {
        const size_t capacity = capacities[k];
        weft_spsc *r = make(capacity, _i);
        uint64_t pushed = 1;
        uint64_t popped = 1;

        ck_assert_uint_eq(weft_spsc_capacity(r), capacity);
        check_empty(r);
        /* Each turn begins one cell further on. */
        for (size_t turn = 0; turn < 2 * capacity + 3 && turn < 30; turn++) {
            for (size_t i = 0; i < capacity; i++) {
                ck_assert_uint_eq(weft_spsc_size(r), i);
                ck_assert_int_eq(weft_spsc_push(r, item(pushed++)), WEFT_OK);
            }
            ck_assert_uint_eq(weft_spsc_size(r), capacity);
            ck_assert_int_eq(weft_spsc_push(r, UNTOUCHED), WEFT_FULL);
            ck_assert_int_eq(weft_spsc_push(r, UNTOUCHED), WEFT_FULL);
            for (size_t i = 0; i < capacity; i++) {
                void *got;
                ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
                ck_assert_ptr_eq(got, item(popped++));
                if (i > 0)
                    continue;
                ck_assert_int_eq(weft_spsc_push(r, item(pushed++)), WEFT_OK);
                ck_assert_int_eq(weft_spsc_push(r, UNTOUCHED), WEFT_FULL);
            }
            void *got;
            ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
            ck_assert_ptr_eq(got, item(popped++));
            check_empty(r);
        }
        weft_spsc_destroy(r);
    }
}
END_TEST

START_TEST(test_every_value_is_an_item)
{
    static const uint64_t values[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, UINT64_MAX, UINT64_MAX - 1, 1ull << 63};
    enum { N = sizeof(values) / sizeof(values[0]) };
    weft_spsc *r = make(5, _i);

    for (size_t lap = 0; lap < 4 * N; lap++) {
        for (size_t i = 0; i < 5; i++)
            ck_assert_int_eq(weft_spsc_push(r, item(values[(lap + i) % N])),
                             WEFT_OK);
        for (size_t i = 0; i < 5; i++) {
            void *got = UNTOUCHED;
            ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
            ck_assert_ptr_eq(got, item(values[(lap + i) % N]));
        }
        check_empty(r);
    }
    weft_spsc_destroy(r);
}
END_TEST

#define BULK 40

/* One bulk push and one bulk pop with `full` of `capacity` cells in use. */
static void
check_bulk(int impl, size_t capacity, size_t start, size_t full, size_t n)
{
    weft_spsc *r = make(capacity, impl);
    void *in[BULK];
    void *out[BULK];
    void *got;

    size_t failed = 0;
    for (size_t i = 0; i < start; i++)
        failed += weft_spsc_push(r, item(i)) != WEFT_OK ||
                  weft_spsc_pop(r, &got) != WEFT_OK;
    for (size_t i = 0; i < full; i++)
        failed += weft_spsc_push(r, item(100 + i)) != WEFT_OK;
    ck_assert_uint_eq(failed, 0);
    for (size_t i = 0; i < BULK; i++) {
        in[i] = item(100 + full + i);
        out[i] = UNTOUCHED;
    }

    const size_t fits = n < capacity - full ? n : capacity - full;
    ck_assert_uint_eq(weft_spsc_push_n(r, in, n), fits);
    const size_t size = full + fits;
    ck_assert_uint_eq(weft_spsc_size(r), size);
    if (size == capacity)
        ck_assert_int_eq(weft_spsc_push(r, UNTOUCHED), WEFT_FULL);

    const size_t takes = n < size ? n : size;
    ck_assert_uint_eq(weft_spsc_pop_n(r, out, n), takes);
    size_t wrong = 0;
    for (size_t i = 0; i < BULK; i++)
        wrong += out[i] != (i < takes ? item(100 + i) : UNTOUCHED);
    for (size_t i = takes; i < size; i++)
        wrong += weft_spsc_pop(r, &got) != WEFT_OK || got != item(100 + i);
    ck_assert_uint_eq(wrong, 0);
    check_empty(r);
    ck_assert_uint_eq(weft_spsc_pop_n(r, out, n), 0);
    weft_spsc_destroy(r);
}

START_TEST(test_bulk_moves_as_many_as_fit_in_order)
{
    for (size_t k = 0; k < CAPACITIES && capacities[k] <= 13; k++) {
        const size_t capacity = capacities[k];
        for (size_t start = 0; start <= capacity; start++)
            for (size_t full = 0; full <= capacity; full++)
                for (size_t n = 0; n <= 2 * capacity + 2; n++)
                    check_bulk(_i, capacity, start, full, n);
    }
}
END_TEST

/* The plainest queue there is. */
struct model {
    uint64_t next_in;
    uint64_t next_out;
};

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void
push_like_model(weft_spsc *r, struct model *m, size_t capacity, size_t n)
{
    void *items[BULK];
    const size_t room = capacity - (size_t)(m->next_in - m->next_out);
    const size_t fits = n < room ? n : room;

    for (size_t i = 0; i < n; i++)
        items[i] = item(m->next_in + i);
    if (n == 1)
        ck_assert_int_eq(weft_spsc_push(r, items[0]),
                         fits == 1 ? WEFT_OK : WEFT_FULL);
    else
        ck_assert_uint_eq(weft_spsc_push_n(r, items, n), fits);
    m->next_in += fits;
}

static void
pop_like_model(weft_spsc *r, struct model *m, size_t n)
{
    void *items[BULK] = {NULL};
    const size_t size = (size_t)(m->next_in - m->next_out);
    const size_t takes = n < size ? n : size;

    if (n == 1)
        ck_assert_int_eq(weft_spsc_pop(r, &items[0]),
                         takes == 1 ? WEFT_OK : WEFT_EMPTY);
    else
        ck_assert_uint_eq(weft_spsc_pop_n(r, items, n), takes);
    size_t wrong = 0;
    for (size_t i = 0; i < takes; i++)
        wrong += items[i] != item(m->next_out + i);
    ck_assert_uint_eq(wrong, 0);
    m->next_out += takes;
}

START_TEST(test_single_and_bulk_calls_mix_in_any_order)
{
    for (size_t k = 0; k < CAPACITIES; k++) {
        const size_t capacity = capacities[k];
        struct model m = {1, 1};
        uint64_t state = 0x5eed + k;
        weft_spsc *r = make(capacity, _i);

        for (int step = 0; step < 5000; step++) {
            /* For a while mostly pushes, for a while mostly pops. */
            const uint64_t dice = random_next(&state);
            const bool filling = (step / 256) % 2 == 0;
            const size_t n = (dice >> 8) % 3 == 0 ? 1 : (dice >> 16) % BULK;
            if ((dice % 4 != 0) == filling)
                push_like_model(r, &m, capacity, n);
            else
                pop_like_model(r, &m, n);
            ck_assert_uint_eq(weft_spsc_size(r), m.next_in - m.next_out);
        }
        weft_spsc_destroy(r);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_refuses_what_it_does_not_know, 1},
        {&test_create_without_memory_changes_nothing, IMPLS},
        {&test_destroy_takes_null, 1},
        {&test_destroy_hands_over_what_is_left_oldest_first, IMPLS},
        {&test_destroy_without_drop_forgets_what_is_left, IMPLS},
        {&test_capacity_is_exact_over_many_laps, IMPLS},
        {&test_every_value_is_an_item, IMPLS},
        {&test_bulk_moves_as_many_as_fit_in_order, IMPLS},
        {&test_single_and_bulk_calls_mix_in_any_order, IMPLS},
    };

    return run_tests("spsc", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the insides of weft_spsc are to do however much has gone through.
 */
#include "container/spsc_impl.h"

#include "testing.h"

#define IMPLS (WEFT_MUTEX + 1)

static const size_t capacities[] = {1, 2, 3, 7, 8, 1000};
#define CAPACITIES (sizeof(capacities) / sizeof(capacities[0]))

/* A ring through which `gone` items seem to have gone. */
static weft_spsc *
used_ring(size_t capacity, int form, uint64_t gone)
{
    weft_spsc *r = NULL;

    ck_assert_int_eq(weft_spsc_create(&r, capacity, (enum weft_impl)form),
                     WEFT_OK);
    if (form == WEFT_MUTEX) {
        atomic_store_explicit(&r->tail, gone, memory_order_relaxed);
        atomic_store_explicit(&r->head, gone, memory_order_relaxed);
        return r;
    }
    atomic_store_explicit(&r->ends.push.at, gone, memory_order_relaxed);
    atomic_store_explicit(&r->ends.pop.at, gone, memory_order_relaxed);
    r->ends.push.lap = gone;
    r->ends.push.limit = gone + capacity;
    r->ends.pop.lap = gone;
    /* As the lap before left them, but for the one behind the last. */
    for (size_t i = 0; i < capacity && gone > capacity; i++)
        atomic_store_explicit(&r->cells[i].stamp, gone - capacity + i + 1,
                              memory_order_relaxed);
    return r;
}

static void
check_laps(weft_spsc *r, size_t capacity, uintptr_t laps)
{
    uintptr_t in = 0;
    uintptr_t out = 0;
    void *got;

    while (out < laps * capacity) {
        while (weft_spsc_push(r, (void *)in) == WEFT_OK)
            in++;
        ck_assert_uint_eq(in - out, capacity);
        ck_assert_uint_eq(weft_spsc_size(r), capacity);
        /* One stays, so that each filling begins elsewhere. */
        while (in - out > (capacity > 1)) {
            ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
            ck_assert_uint_eq((uintptr_t)got, out++);
        }
        ck_assert_uint_eq(weft_spsc_size(r), in - out);
    }
    if (out < in)
        ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_EMPTY);
}

static void
check_batches(weft_spsc *r, size_t capacity, uintptr_t laps)
{
    enum { BATCH = 5 };
    void *items[BATCH];
    uintptr_t in = 0;
    uintptr_t out = 0;

    while (out < laps * capacity) {
        for (size_t i = 0; i < BATCH; i++)
            items[i] = (void *)(in + i);
        in += weft_spsc_push_n(r, items, BATCH);
        ck_assert_uint_le(in - out, capacity);
        const size_t n = weft_spsc_pop_n(r, items, BATCH - 1);
        ck_assert_uint_gt(n, 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq((uintptr_t)items[i], out++);
    }
}

START_TEST(test_positions_beyond_32_and_63_bits_are_like_any_other)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        const size_t capacity = capacities[i];
        /* Each border is crossed; the last are the last there are. */
        const uint64_t starts[] = {UINT32_MAX - 3 * capacity,
                                   INT64_MAX - 3 * capacity,
                                   UINT64_MAX - 20 * capacity};
        for (size_t k = 0; k < 3; k++) {
            weft_spsc *r = used_ring(capacity, _i, starts[k]);
            check_laps(r, capacity, 9);
            weft_spsc_destroy(r);
            r = used_ring(capacity, _i, starts[k]);
            check_batches(r, capacity, 9);
            weft_spsc_destroy(r);
        }
    }
}
END_TEST

/* A push that stopped before its stamp, and one after it. */
START_TEST(test_a_stopped_push_hides_only_its_own_item)
{
    weft_spsc *r = used_ring(3, WEFT_LOCKFREE, 0);
    void *got;

    ck_assert_int_eq(weft_spsc_push(r, (void *)1), WEFT_OK);
    r->cells[1].item = (void *)2; /* and no more */
    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
    ck_assert_ptr_eq(got, (void *)1);
    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_EMPTY);

    atomic_store_explicit(&r->cells[1].stamp, 2, memory_order_relaxed);
    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
    ck_assert_ptr_eq(got, (void *)2);
    ck_assert_uint_eq(weft_spsc_size(r), 0); /* not less, the tail is behind */
    atomic_store_explicit(&r->ends.push.at, 2, memory_order_relaxed);
    ck_assert_int_eq(weft_spsc_push(r, (void *)3), WEFT_OK);
    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
    ck_assert_ptr_eq(got, (void *)3);
    weft_spsc_destroy(r);
}
END_TEST

/* The producer looks at the consumer's line only when its limit says so. */
START_TEST(test_the_producer_looks_once_in_a_capacity)
{
    weft_spsc *r = used_ring(8, WEFT_LOCKFREE, 0);
    void *got;

    for (uint64_t lap = 0; lap < 3; lap++) {
        for (uint64_t k = 0; k < 8; k++) {
            ck_assert_int_eq(weft_spsc_push(r, r), WEFT_OK);
            ck_assert_uint_eq(r->ends.push.limit, 8 * (lap + 1));
            ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_OK);
        }
    }
    weft_spsc_destroy(r);
}
END_TEST

/* Who inlines push and pop and who calls them can be the same program. */
START_TEST(test_inlined_and_called_pushes_and_pops_mix)
{
    enum weft_status (*volatile push)(weft_spsc *, void *) = weft_spsc_push;
    enum weft_status (*volatile pop)(weft_spsc *, void **) = weft_spsc_pop;
    weft_spsc *r = used_ring(3, _i, 0);
    uintptr_t in = 0;
    uintptr_t out = 0;

    for (unsigned step = 0; step < 1000; step++) {
        void *got;
        const bool fits = in - out < 3;
        ck_assert_int_eq(step % 3 == 0 ? push(r, (void *)in)
                                       : weft_spsc_push(r, (void *)in),
                         fits ? WEFT_OK : WEFT_FULL);
        in += fits;
        if (step % 4 == 0 || in == out)
            continue;
        ck_assert_int_eq(step % 5 == 0 ? pop(r, &got) : weft_spsc_pop(r, &got),
                         WEFT_OK);
        ck_assert_uint_eq((uintptr_t)got, out++);
        ck_assert_uint_eq(weft_spsc_size(r), in - out);
    }
    weft_spsc_destroy(r);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_positions_beyond_32_and_63_bits_are_like_any_other, IMPLS},
        {&test_inlined_and_called_pushes_and_pops_mix, IMPLS},
        {&test_a_stopped_push_hides_only_its_own_item, 1},
        {&test_the_producer_looks_once_in_a_capacity, 1},
    };

    return run_tests("spsc_inside", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

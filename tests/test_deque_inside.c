/* SPDX-License-Identifier: MIT */
/*
 * What the deque promises about its inside.
 */
#include "container/deque_impl.h"

#include "testing.h"

static weft_deque *
new_deque(uint64_t begin)
{
    weft_deque *d = NULL;

    ck_assert_int_eq(weft_deque_create(&d), WEFT_OK);
    weft_deque_begin_at_(d, begin);
    return d;
}

static void
push_number(weft_deque *d, uintptr_t number)
{
    ck_assert_int_eq(weft_deque_push(d, (void *)number), WEFT_OK);
}

static uintptr_t
pop_number(weft_deque *d)
{
    void *got;

    ck_assert_int_eq(weft_deque_pop(d, &got), WEFT_OK);
    return (uintptr_t)got;
}

static uintptr_t
steal_number(weft_deque *d)
{
    void *got;

    ck_assert_int_eq(weft_deque_steal(d, &got), WEFT_OK);
    return (uintptr_t)got;
}

START_TEST(test_positions_may_wrap)
{
    static const uint64_t starts[] = {0, UINT32_MAX - 5, INT64_MAX - 5,
                                      UINT64_MAX - 5, UINT64_MAX - 150};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        weft_deque *d = new_deque(starts[i]);
        uintptr_t in = 0;
        uintptr_t out = 0;
        void *none;
        for (unsigned lap = 0; lap < 40; lap++) {
            for (unsigned k = 0; k < 15; k++)
                push_number(d, in++);
            for (unsigned k = 0; k < 5; k++)
                ck_assert_uint_eq(pop_number(d), --in);
            for (unsigned k = 0; k < 6; k++)
                ck_assert_uint_eq(steal_number(d), out++);
            ck_assert_uint_eq(weft_deque_size(d), in - out);
        }
        while (out < in)
            ck_assert_uint_eq(steal_number(d), out++);
        ck_assert_int_eq(weft_deque_steal(d, &none), WEFT_EMPTY);
        ck_assert_int_eq(weft_deque_pop(d, &none), WEFT_EMPTY);
        ck_assert_uint_eq(d->top - starts[i], out);
        weft_deque_destroy(d);
    }
}
END_TEST

START_TEST(test_it_grows_across_the_wrap)
{
    for (uint64_t before = 0; before < 300; before += 7) {
        weft_deque *d = new_deque(0 - before);
        for (uintptr_t i = 0; i < 300; i++)
            push_number(d, i);
        ck_assert_uint_eq(d->mine->mask, 511);
        for (uintptr_t i = 0; i < 150; i++) {
            ck_assert_uint_eq(steal_number(d), i);
            ck_assert_uint_eq(pop_number(d), 299 - i);
        }
        ck_assert_uint_eq(weft_deque_size(d), 0);
        weft_deque_destroy(d);
    }
}
END_TEST

/* The owner's view of top may be old; a full array is looked at again. */
START_TEST(test_what_was_stolen_makes_room)
{
    weft_deque *d = new_deque(0);

    for (uintptr_t i = 0; i < 10000; i++) {
        push_number(d, i);
        if (i >= WEFT_DEQUE_FIRST - 1)
            ck_assert_uint_eq(steal_number(d), i - (WEFT_DEQUE_FIRST - 1));
    }
    ck_assert_ptr_null(d->mine->older);
    ck_assert_uint_eq(d->mine->mask, WEFT_DEQUE_FIRST - 1);
    weft_deque_destroy(d);
}
END_TEST

/* A thief that stopped after it read its item, while the owner goes round. */
START_TEST(test_a_thief_that_was_overtaken_gets_nothing)
{
    weft_deque *d = new_deque(0);

    push_number(d, 1);
    uint64_t top = d->top;
    ck_assert_uint_eq(pop_number(d), 1); /* the last one moves top */
    push_number(d, 2);
    ck_assert(!atomic_compare_exchange_strong(&d->top, &top, top + 1));
    ck_assert_uint_eq(weft_deque_size(d), 1);
    ck_assert_uint_eq(steal_number(d), 2);
    weft_deque_destroy(d);
}
END_TEST

/* A thief that stopped with an array that was outgrown since. */
START_TEST(test_an_old_array_still_has_what_was_not_stolen)
{
    weft_deque *d = new_deque(0);
    struct weft_deque_array *old = d->array;

    for (uintptr_t i = 0; i < 1000; i++)
        push_number(d, i);
    ck_assert_ptr_ne(old, d->mine);
    for (uintptr_t i = 0; i < 500; i++)
        ck_assert_uint_eq(pop_number(d), 999 - i);
    for (uintptr_t i = 0; i < 20; i++)
        ck_assert_uint_eq(steal_number(d), i);
    for (uintptr_t i = 500; i < 600; i++)
        push_number(d, i);
    ck_assert_uint_eq((uintptr_t)old->items[d->top & old->mask], 20);

    uint64_t room = 0;
    for (struct weft_deque_array *a = d->mine->older; a != NULL; a = a->older)
        room += a->mask + 1;
    ck_assert_uint_lt(room, d->mine->mask + 1);
    weft_deque_destroy(d);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_positions_may_wrap, 1},
        {&test_it_grows_across_the_wrap, 1},
        {&test_what_was_stolen_makes_room, 1},
        {&test_a_thief_that_was_overtaken_gets_nothing, 1},
        {&test_an_old_array_still_has_what_was_not_stolen, 1},
    };

    return run_tests("deque_inside", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}

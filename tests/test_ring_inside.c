/* SPDX-License-Identifier: MIT */
/*
 * What the forms of the ring without a lock promise about their insides.
 */
#include "container/ring_impl.h"

#include "testing.h"

static const size_t capacities[] = {1, 2, 3, 7, 8, 1000, 1024};
#define CAPACITIES (sizeof(capacities) / sizeof(capacities[0]))

static weft_ring *
new_ring(size_t capacity, enum weft_impl form)
{
    weft_ring *r = NULL;

    ck_assert_int_eq(weft_ring_create(&r, capacity, form), WEFT_OK);
    return r;
}

static void
push_number(weft_ring *r, uintptr_t number)
{
    ck_assert_int_eq(weft_ring_push(r, (void *)number), WEFT_OK);
}

static uintptr_t
pop_number(weft_ring *r)
{
    void *got;

    ck_assert_int_eq(weft_ring_pop(r, &got), WEFT_OK);
    return (uintptr_t)got;
}

static void
drain(weft_ring *r, size_t keep)
{
    while (weft_ring_size(r) > keep)
        (void)pop_number(r);
}

static uint64_t
load(_Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void
store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Make an unused ring look as if `laps` times its capacity had gone through. */
static void
begin_at_lap(weft_ring *r, uint64_t laps)
{
    uint64_t lap = laps * r->one_lap;

    store(&r->tail, lap);
    store(&r->head, lap);
    for (size_t i = 0; i < r->capacity; i++)
        store(&r->cells[i].stamp, lap);
}

static void
check_laps(weft_ring *r, int laps)
{
    uintptr_t in = 0;
    uintptr_t out = 0;

    for (int lap = 0; lap < laps; lap++) {
        while (weft_ring_push(r, (void *)in) == WEFT_OK)
            in++;
        ck_assert_uint_eq(in - out, r->capacity);
        ck_assert_uint_eq(weft_ring_size(r), r->capacity);
        while (in - out > (r->capacity > 1))
            ck_assert_uint_eq(pop_number(r), out++);
        ck_assert_uint_eq(weft_ring_size(r), in - out);
    }
}

START_TEST(test_positions_go_round_at_the_capacity)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        weft_ring *r = new_ring(capacities[i], WEFT_LOCKFREE);
        uint64_t p = 0;
        for (size_t k = 0; k < 3 * capacities[i]; k++) {
            ck_assert_uint_eq(weft_ring_index_(r, p), k % capacities[i]);
            ck_assert_uint_eq(weft_ring_lap_(r, p) / r->one_lap,
                              k / capacities[i]);
            if (k <= capacities[i])
                ck_assert_uint_eq(weft_ring_advance_(r, 0, k), p);
            p = weft_ring_advance_(r, p, 1);
        }
        weft_ring_destroy(r);
    }
}
END_TEST

/* _i: WEFT_LOCKFREE, WEFT_LOCKLESS */
START_TEST(test_laps_beyond_32_and_63_bits_are_like_any_other)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        weft_ring *r = new_ring(capacities[i], (enum weft_impl)_i);
        uint64_t most = (WEFT_RING_ENDED_ - 1) / r->one_lap;
        uint64_t starts[] = {UINT32_MAX / r->one_lap, most / 2, most - 20};
        for (size_t k = 0; k < 3; k++) {
            begin_at_lap(r, starts[k]);
            check_laps(r, 12);
            drain(r, 0);
        }
        weft_ring_destroy(r);
    }
}
END_TEST

/* Give `hint` an old value: zero, or about `part` quarters of it. */
static void
set_back(const weft_ring *r, _Atomic uint64_t *hint, uint64_t part)
{
    store(hint, weft_ring_lap_(r, load(hint) / 4 * part));
}

START_TEST(test_a_hint_set_back_loses_nothing)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        size_t capacity = capacities[i];
        weft_ring *r = new_ring(capacity, WEFT_LOCKFREE);
        uintptr_t in = 0;
        uintptr_t out = 0;

        /* Before each call both hints go back to one of their old values. */
        for (uint64_t turn = 0; turn < 40 * capacity; turn++) {
            set_back(r, &r->tail, turn % 3);
            set_back(r, &r->head, turn % 5);
            if (in - out == capacity) {
                ck_assert_int_eq(weft_ring_push(r, r), WEFT_FULL);
                ck_assert_uint_eq(pop_number(r), out++);
            } else {
                push_number(r, in++);
            }
            store(&r->tail, 0);
            store(&r->head, 0);
            ck_assert_uint_eq(weft_ring_size(r), in - out);
        }
        while (out < in) {
            store(&r->head, 0);
            ck_assert_uint_eq(pop_number(r), out++);
        }
        store(&r->head, 0);
        void *none;
        ck_assert_int_eq(weft_ring_pop(r, &none), WEFT_EMPTY);
        weft_ring_destroy(r);
    }
}
END_TEST

static unsigned
log2_rounded_up(uint64_t n)
{
    unsigned log = 0;

    while ((UINT64_C(1) << log) < n)
        log++;
    return log;
}

/* From `p`, done by `side`, to `next`, the first not done. */
static void
check_catch_up(const weft_ring *r, uint64_t p, unsigned side, uint64_t next)
{
    unsigned probes = 0;

    ck_assert_uint_eq(weft_ring_catch_up_(r, p, side, &probes), next);
    ck_assert_uint_le(probes, 2 + 2 * log2_rounded_up(r->capacity));
}

START_TEST(test_catching_up_looks_at_few_cells)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        size_t capacity = capacities[i];
        weft_ring *r = new_ring(capacity, WEFT_LOCKFREE);

        begin_at_lap(r, 1000000);
        uint64_t tail = load(&r->tail);
        for (size_t k = 0; k < 2 * capacity + 1; k++) {
            if (weft_ring_size(r) == capacity || k % 3 == 0)
                drain(r, k % capacity);
            push_number(r, k);
            tail = weft_ring_advance_(r, tail, 1);
            check_catch_up(r, 0, PUSH, tail);
            check_catch_up(r, tail - r->one_lap, PUSH, tail);
            check_catch_up(r, 0, POP, load(&r->head));
        }
        weft_ring_destroy(r);
    }
}
END_TEST

/* A call that stopped after its compare-and-swap, before it moved the hint. */
START_TEST(test_a_stopped_lock_free_push_stops_nobody)
{
    weft_ring *r = new_ring(3, WEFT_LOCKFREE);

    push_number(r, 1);
    uint64_t stopped_at = load(&r->tail);
    push_number(r, 2);
    store(&r->tail, stopped_at);

    push_number(r, 3);
    ck_assert_int_eq(weft_ring_push(r, r), WEFT_FULL);
    for (uintptr_t k = 1; k < 100; k++) {
        ck_assert_uint_eq(pop_number(r), k);
        push_number(r, k + 3);
    }
    /* It wakes up, and its store sets the hint back. */
    store(&r->tail, weft_ring_advance_(r, stopped_at, 1));
    ck_assert_int_eq(weft_ring_push(r, r), WEFT_FULL);
    ck_assert_uint_eq(weft_ring_size(r), 3);
    ck_assert_uint_eq(pop_number(r), 100);
    push_number(r, 103);
    weft_ring_destroy(r);
}
END_TEST

START_TEST(test_a_stopped_lock_free_pop_stops_nobody)
{
    weft_ring *r = new_ring(3, WEFT_LOCKFREE);

    push_number(r, 1);
    push_number(r, 2);
    push_number(r, 3);
    uint64_t stopped_at = load(&r->head);
    ck_assert_uint_eq(pop_number(r), 1);
    store(&r->head, stopped_at);

    push_number(r, 4);
    for (uintptr_t k = 2; k < 100; k++) {
        ck_assert_uint_eq(pop_number(r), k);
        push_number(r, k + 3);
    }
    store(&r->head, weft_ring_advance_(r, stopped_at, 1));
    ck_assert_uint_eq(weft_ring_size(r), 3);
    for (uintptr_t k = 100; k < 103; k++)
        ck_assert_uint_eq(pop_number(r), k);
    void *none;
    ck_assert_int_eq(weft_ring_pop(r, &none), WEFT_EMPTY);
    weft_ring_destroy(r);
}
END_TEST

/* A lockless push that stopped between its claim and its stamp. */
START_TEST(test_a_stopped_lockless_push_holds_up_its_slot)
{
    weft_ring *r = new_ring(3, WEFT_LOCKLESS);
    uint64_t stopped_at = load(&r->tail);
    void *none;

    store(&r->tail, weft_ring_advance_(r, stopped_at, 1));
    push_number(r, 2);
    push_number(r, 3);
    ck_assert_int_eq(weft_ring_push(r, r), WEFT_FULL);
    ck_assert_int_eq(weft_ring_pop(r, &none), WEFT_EMPTY);

    /* It goes on, and all is as if it had never stopped. */
    struct weft_pair *cell = &r->cells[weft_ring_index_(r, stopped_at)];
    atomic_store_explicit(&cell->item, (void *)1, memory_order_relaxed);
    store(&cell->stamp, weft_ring_lap_(r, stopped_at) | 1);
    for (uintptr_t k = 1; k <= 3; k++)
        ck_assert_uint_eq(pop_number(r), k);
    weft_ring_destroy(r);
}
END_TEST

START_TEST(test_size_is_clamped_to_what_a_moment_can_hold)
{
    weft_ring *r = new_ring(3, WEFT_LOCKLESS);

    ck_assert_uint_eq(weft_ring_distance_(r, 5, 4), 0);
    ck_assert_uint_eq(weft_ring_distance_(r, 0, 3 * r->one_lap), 3);
    ck_assert_uint_eq(weft_ring_distance_(r, 2, r->one_lap + 1), 2);
    weft_ring_destroy(r);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_positions_go_round_at_the_capacity, 1},
        {&test_laps_beyond_32_and_63_bits_are_like_any_other, WEFT_MUTEX},
        {&test_a_hint_set_back_loses_nothing, 1},
        {&test_catching_up_looks_at_few_cells, 1},
        {&test_a_stopped_lock_free_push_stops_nobody, 1},
        {&test_a_stopped_lock_free_pop_stops_nobody, 1},
        {&test_a_stopped_lockless_push_holds_up_its_slot, 1},
        {&test_size_is_clamped_to_what_a_moment_can_hold, 1},
    };

    return run_tests("ring_inside", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}

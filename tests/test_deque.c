/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_deque as one thread sees it.
 */
#include <weft/deque.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "testing.h"

static weft_deque *
new_deque(void)
{
    weft_deque *d = NULL;

    ck_assert_int_eq(weft_deque_create(&d), WEFT_OK);
    return d;
}

static void *
item(uintptr_t number)
{
    return (void *)number;
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

START_TEST(test_create_wants_an_out_pointer)
{
    ck_assert_int_eq(weft_deque_create(NULL), WEFT_INVALID);
}
END_TEST

START_TEST(test_create_without_memory_leaves_nothing_behind)
{
    for (unsigned k = 1;; k++) {
        weft_deque *d = NULL;
        alloc_fail_at(k);
        enum weft_status status = weft_deque_create(&d);
        unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(status, WEFT_OK);
            ck_assert_uint_gt(k, 2);
            weft_deque_destroy(d);
            ck_assert_uint_eq(alloc_live(), 0);
            break;
        }
        ck_assert_int_eq(status, WEFT_NO_MEMORY);
        ck_assert_ptr_null(d);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

#define MANY 2000

START_TEST(test_a_push_without_memory_changes_nothing)
{
    for (unsigned k = 1;; k++) {
        weft_deque *d = new_deque();
        unsigned refused = 0;
        alloc_fail_at(k);
        for (uintptr_t i = 0; i < MANY; i++)
            while (weft_deque_push(d, item(i)) != WEFT_OK && refused < MANY)
                refused++;
        unsigned asked = alloc_fail_stop();
        ck_assert_uint_eq(refused, asked < k ? 0 : 1);
        ck_assert_uint_eq(weft_deque_size(d), MANY);
        for (uintptr_t i = 0; i < MANY; i++)
            ck_assert_uint_eq(steal_number(d), i);
        weft_deque_destroy(d);
        ck_assert_uint_eq(alloc_live(), 0);
        if (asked < k) {
            ck_assert_uint_gt(k, 4);
            break;
        }
    }
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_deque_destroy(NULL);
    weft_deque_destroy_with(NULL, NULL, NULL);
}
END_TEST

struct dropped {
    uintptr_t next;
    unsigned wrong;
};

static void
drop(void *got, void *ctx)
{
    struct dropped *d = ctx;

    d->wrong += (uintptr_t)got != --d->next;
}

START_TEST(test_destroy_with_hands_out_what_is_left_newest_first)
{
    weft_deque *d = new_deque();
    struct dropped all = {.next = 1000};

    for (uintptr_t i = 0; i < 1001; i++)
        ck_assert_int_eq(weft_deque_push(d, item(i)), WEFT_OK);
    ck_assert_uint_eq(pop_number(d), 1000);
    for (uintptr_t i = 0; i < 10; i++)
        ck_assert_uint_eq(steal_number(d), i);
    weft_deque_destroy_with(d, drop, &all);
    ck_assert_uint_eq(all.next, 10);
    ck_assert_uint_eq(all.wrong, 0);
}
END_TEST

START_TEST(test_new_deque_is_empty)
{
    weft_deque *d = new_deque();
    void *got = d;

    ck_assert_uint_eq(weft_deque_size(d), 0);
    ck_assert_int_eq(weft_deque_pop(d, &got), WEFT_EMPTY);
    ck_assert_int_eq(weft_deque_steal(d, &got), WEFT_EMPTY);
    ck_assert_int_eq(weft_deque_pop(d, &got), WEFT_EMPTY);
    ck_assert_ptr_eq(got, d);
    ck_assert_uint_eq(weft_deque_size(d), 0);
    weft_deque_destroy(d);
}
END_TEST

START_TEST(test_null_is_an_item)
{
    weft_deque *d = new_deque();
    void *got = d;

    ck_assert_int_eq(weft_deque_push(d, NULL), WEFT_OK);
    ck_assert_int_eq(weft_deque_pop(d, &got), WEFT_OK);
    ck_assert_ptr_null(got);
    got = d;
    ck_assert_int_eq(weft_deque_push(d, NULL), WEFT_OK);
    ck_assert_int_eq(weft_deque_steal(d, &got), WEFT_OK);
    ck_assert_ptr_null(got);
    ck_assert_int_eq(weft_deque_steal(d, &got), WEFT_EMPTY);
    weft_deque_destroy(d);
}
END_TEST

START_TEST(test_pop_takes_the_newest_and_steal_the_oldest)
{
    weft_deque *d = new_deque();

    for (size_t n = 1; n < 700; n += 1 + n / 4) {
        uintptr_t low = 0;
        uintptr_t high = n;
        for (uintptr_t i = 0; i < n; i++)
            ck_assert_int_eq(weft_deque_push(d, item(i)), WEFT_OK);
        while (low < high) {
            ck_assert_uint_eq(weft_deque_size(d), high - low);
            if ((low + high) % 3 == 0)
                ck_assert_uint_eq(steal_number(d), low++);
            else
                ck_assert_uint_eq(pop_number(d), --high);
        }
        ck_assert_uint_eq(weft_deque_size(d), 0);
    }
    weft_deque_destroy(d);
}
END_TEST

/* What a deque is: a piece of an array that has room at both ends. */
START_TEST(test_random_calls_do_what_an_array_does)
{
    enum { ROOM = 1 << 16 };
    static uintptr_t items[ROOM];
    weft_deque *d = new_deque();
    size_t low = 0;
    size_t high = 0;
    uint32_t draw = 2463534242;

    for (unsigned i = 0; high < ROOM - 1; i++) {
        draw ^= draw << 13; /* Marsaglia 2003 */
        draw ^= draw >> 17;
        draw ^= draw << 5;
        const unsigned push_share = i / 4096 % 2 == 0 ? 9 : 4;
        const unsigned what = draw >> 8 & 15;
        void *got = d;
        if (what < push_share) {
            items[high++] = draw;
            ck_assert_int_eq(weft_deque_push(d, item(draw)), WEFT_OK);
            continue;
        }
        const enum weft_status s =
            what & 1 ? weft_deque_pop(d, &got) : weft_deque_steal(d, &got);
        ck_assert_int_eq(s, low < high ? WEFT_OK : WEFT_EMPTY);
        if (low < high)
            ck_assert_uint_eq((uintptr_t)got,
                              what & 1 ? items[--high] : items[low++]);
        ck_assert_uint_eq(weft_deque_size(d), high - low);
    }
    weft_deque_destroy(d);
}
END_TEST

/* The old arrays together are smaller than the one in use, and one in use is
 * at most twice the items there were at once. */
START_TEST(test_memory_is_bounded_by_the_most_items_at_once)
{
    weft_deque *d = new_deque();

    alloc_fail_at(0);
    for (unsigned turn = 0; turn < 100; turn++) {
        for (uintptr_t i = 0; i < 4096; i++)
            if (weft_deque_push(d, item(i)) != WEFT_OK)
                break;
        void *got;
        for (uintptr_t i = 0; i < 4096; i++)
            if ((turn % 2 ? weft_deque_pop(d, &got)
                          : weft_deque_steal(d, &got)) != WEFT_OK)
                break;
    }
    ck_assert_uint_eq(alloc_fail_stop(), 6); /* 128, 256, ... 4096 */
    weft_deque_destroy(d);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_a_forked_child_has_it_all)
{
    weft_deque *d = new_deque();

    for (uintptr_t i = 0; i < 500; i++)
        ck_assert_int_eq(weft_deque_push(d, item(i)), WEFT_OK);
    const pid_t child = fork();
    if (child == 0) {
        bool right = true;
        for (uintptr_t i = 0; i < 250; i++) {
            void *got = NULL;
            right &= weft_deque_pop(d, &got) == WEFT_OK && got == item(499 - i);
            right &= weft_deque_steal(d, &got) == WEFT_OK && got == item(i);
        }
        for (uintptr_t i = 0; i < 1000; i++)
            right &= weft_deque_push(d, item(i)) == WEFT_OK;
        weft_deque_destroy(d);
        _exit(right ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(pop_number(d), 499);
    weft_deque_destroy(d);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_wants_an_out_pointer, 1},
        {&test_create_without_memory_leaves_nothing_behind, 1},
        {&test_a_push_without_memory_changes_nothing, 1},
        {&test_destroy_takes_null, 1},
        {&test_destroy_with_hands_out_what_is_left_newest_first, 1},
        {&test_new_deque_is_empty, 1},
        {&test_null_is_an_item, 1},
        {&test_pop_takes_the_newest_and_steal_the_oldest, 1},
        {&test_random_calls_do_what_an_array_does, 1},
        {&test_memory_is_bounded_by_the_most_items_at_once, 1},
        {&test_a_forked_child_has_it_all, 1},
    };

    return run_tests("deque", tests, sizeof(tests) / sizeof(tests[0]), 30);
}

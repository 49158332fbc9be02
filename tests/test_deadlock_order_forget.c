/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_forget.c - locks that have ended: what leaves the graph
 * with them, and how little is asked of memory that has none.
 */
#include "actors.h"
#include "deadlock/order_impl.h"
#include "testing.h"

#define COND OBJECT(1001)
#define SEM  OBJECT(1002)
#define MIB  ((size_t)1 << 20)

static void
forget(int lock)
{
    weft_order_forgets_by_(T(0), OBJECT(lock), 1);
}

/* How much the filter says there is. */
static unsigned
count_marks(void)
{
    unsigned sum = 0;

    for (int i = 0; i < WEFT_ORDER_FILTER; i++)
        sum += atomic_load_explicit(&graph->filter[i], memory_order_relaxed);
    return sum;
}

START_TEST(test_locks_taken_alone_leave_at_once)
{
    begin_with(2);
    for (int i = 0; i < 10000; i++) {
        const int l = 2000 + 8 * (i % 64);
        lock(i % 2, l);
        unlock(i % 2, l);
        take(0, l + 1, WEFT_KIND_READ);
        give(0, l + 1, WEFT_KIND_READ);
        take(1, l + 1, WEFT_KIND_WRITE);
        give(1, l + 1, WEFT_KIND_WRITE);
        forget(l);
        forget(l + 1);
        ck_assert_uint_eq(graph->dead, 0);
        ck_assert_uint_eq(graph->live, 0);
    }
    ck_assert_uint_lt(weft_order_bytes_(graph), 5 * MIB);
    end_play();
}
END_TEST

START_TEST(test_a_lock_that_was_forgotten_is_told_again)
{
    begin_with(2);
    for (int i = 0; i < 2; i++) {
        lock(0, 1);
        unlock(0, 1);
        ck_assert_uint_eq(graph->live, 1);
        forget(1);
        ck_assert_uint_eq(graph->live, 0);
    }
    nest(0, 0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_two_lives_are_two_locks)
{
    begin_with(2);
    lock(0, 1);
    unlock(0, 1);
    nest(0, 0, 1);
    forget(1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

/* Another may come to the other part of a cycle. */
START_TEST(test_locks_in_an_order_stay_for_a_while)
{
    begin_with(2);
    nest(0, 0, 1);
    forget(1);
    ck_assert_uint_eq(graph->dead, 1);
    forget(0);
    ck_assert_uint_eq(graph->dead, 2);
    end_play();
}
END_TEST

/* What it held is a stack in the graph, though no order came of it. */
START_TEST(test_a_lock_under_one_taken_twice_stays)
{
    begin_with(2);
    lock(0, 0);
    catch (0, 1, WEFT_KIND_MUTEX);
    lock(0, 1);
    unlock(0, 1);
    unlock(0, 1);
    unlock(0, 0);
    ck_assert_uint_eq(graph->live, 2);
    forget(0);
    ck_assert_uint_eq(graph->dead, 1);
    end_play();
}
END_TEST

/* Many deaths later the graph is swept: nothing of the dead is looked at. */
START_TEST(test_orders_with_locks_that_live_once_leave_nothing)
{
    begin_with(2);
    for (int i = 0; i < 20000; i++) {
        const int l = 2000 + 8 * (i % 64);
        nest(i % 2, 0, l);
        lock(i % 2, l + 1);
        unlock(i % 2, l + 1);
        forget(l);
        forget(l + 1);
    }
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 7 * MIB);
    nest(0, 0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

/* A lock that lives, in stacks with those that do not. */
START_TEST(test_what_is_swept_is_counted_no_more)
{
    begin_with(1);
    for (int i = 0; i < 5000; i++) {
        const int l = 2000 + 8 * (i % 64);
        nest_3(0, l, 0, 1);
        forget(l);
    }
    const struct weft_order_lock *l =
        *weft_order_lock_bucket_(graph, (uintptr_t)OBJECT(0));
    while (l->object != OBJECT(0))
        l = l->next;
    ck_assert_uint_gt(l->stacks, 0);
    ck_assert_uint_le(l->stacks, 4096);
    end_play();
}
END_TEST

START_TEST(test_memory_is_empty_when_all_in_it_has_ended)
{
    begin_with(2);
    nest(0, 0, 1);
    lock(0, 2);
    unlock(0, 2);
    take(0, 3, WEFT_KIND_READ);
    give(0, 3, WEFT_KIND_READ);
    weft_order_tells_(T(0), COND, NULL);
    weft_order_sem_begins_(graph, SEM, 0);
    weft_order_sem_begins_(graph, SEM, 0);
    ck_assert_uint_eq(count_marks(), 6);
    for (int i = 0; i < 4; i++)
        forget(i);
    ck_assert_uint_eq(count_marks(), 2);
    weft_order_forgets_(graph, COND, 1);
    weft_order_forgets_(graph, SEM, 1);
    ck_assert_uint_eq(count_marks(), 0);
    end_play();
}
END_TEST

/* Counts go no further than 255, and then never back. */
START_TEST(test_crowded_memory_is_still_looked_at)
{
    static const enum weft_kind kinds[] = {WEFT_KIND_MUTEX, WEFT_KIND_RMUTEX,
                                           WEFT_KIND_READ, WEFT_KIND_SPIN,
                                           WEFT_KIND_SEMAPHORE};
    const char *line = OBJECT(0) + (64 - (uintptr_t)OBJECT(0) % 64);

    begin_with(2);
    for (unsigned some = 4; some <= 5; some++) {
        for (unsigned i = 0; i < some * 64; i++) {
            const struct weft_dl_held wanted = {
                line + i % 64, kinds[i / 64], {{1}}};
            weft_order_wants_(T(0), &wanted, NULL, 0);
        }
        ck_assert_int_eq((int)graph->live, some * 64);
        for (int i = 0; i < 64; i++)
            weft_order_forgets_by_(T(0), line + i, 1);
        ck_assert_uint_eq(graph->live, 0);
        ck_assert_uint_eq(count_marks(), 255);
    }
    end_play();
}
END_TEST

static uint32_t seed = 1;

static uint32_t
draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

START_TEST(test_what_lies_in_the_bytes_is_forgotten_and_nothing_else)
{
    static bool is_there[OBJECTS];
    size_t there = 0;

    begin_with(2);
    for (int round = 0; round < 1000; round++) {
        const size_t bytes = draw(1u << (1 + draw(20))) + 1;
        const size_t begin = draw(sizeof(objects));
        for (int i = 0; i < 20; i++) {
            const int l = (int)draw(OBJECTS);
            lock(0, l);
            unlock(0, l);
            there += !is_there[l];
            is_there[l] = true;
        }
        for (size_t i = (begin + 7) / 8; i < OBJECTS && 8 * i - begin < bytes;
             i++) {
            there -= is_there[i];
            is_there[i] = false;
        }
        weft_order_forgets_by_(T(0), objects + begin, bytes);
        ck_assert_uint_eq(graph->live, there);
    }
    weft_order_forgets_(graph, NULL, SIZE_MAX);
    ck_assert_uint_eq(graph->live, 0);
    end_play();
}
END_TEST

START_TEST(test_a_handler_amid_a_call_forgets_nothing)
{
    begin_with(2);
    lock(0, 1);
    unlock(0, 1);
    T(0)->inside = true;
    forget(1);
    T(0)->inside = false;
    ck_assert_uint_eq(graph->live, 1);
    forget(1);
    ck_assert_uint_eq(graph->live, 0);
    ck_assert(!T(0)->inside);
    weft_order_forgets_by_(T(5), OBJECT(1), 1); /* never began */
    end_play();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_locks_taken_alone_leave_at_once, 1},
        {&test_a_lock_that_was_forgotten_is_told_again, 1},
        {&test_two_lives_are_two_locks, 1},
        {&test_locks_in_an_order_stay_for_a_while, 1},
        {&test_a_lock_under_one_taken_twice_stays, 1},
        {&test_orders_with_locks_that_live_once_leave_nothing, 1},
        {&test_what_is_swept_is_counted_no_more, 1},
        {&test_memory_is_empty_when_all_in_it_has_ended, 1},
        {&test_crowded_memory_is_still_looked_at, 1},
        {&test_what_lies_in_the_bytes_is_forgotten_and_nothing_else, 1},
        {&test_a_handler_amid_a_call_forgets_nothing, 1},
    };

    return run_tests("deadlock_order_forget", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_slots.c - threads that have ended leave their slots to
 * others, and nobody is said to be behind somebody for that.
 */
#include <stdlib.h>

#include "actors.h"
#include "deadlock/order_impl.h"
#include "testing.h"

#define COND    OBJECT(1001)
#define OTHER   OBJECT(1002)
#define THREADS 4000
#define MIB     ((size_t)1 << 20)

/* Actor `a` becomes a thread that never was. */
static void
renew(int a)
{
    static uint64_t ids = 1000;

    actors[a].id = ids++;
}

static uint32_t
slot_of(int a)
{
    return T(a)->node->slot;
}

static void
signal_to(int from, int to, const void *cond)
{
    weft_order_tells_(T(from), cond, NULL);
    weft_order_told_(T(to), cond);
}

/* --- there are few -------------------------------------------------------- */

static void
check_few(uint32_t slots)
{
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_le(graph->slots, slots);
    ck_assert_uint_lt(weft_order_bytes_(graph), 5 * MIB);
    ck_assert_int_eq(found_count(), 0);
    nest(1, 1, 0); /* never behind the others */
    ck_assert_int_eq(found_count(), 1);
    end_play();
}

START_TEST(test_threads_that_are_waited_for_leave_their_slots)
{
    begin_with(2);
    for (int i = 0; i < 5 * THREADS; i++) {
        start(0, 2);
        nest(2, 0, 1);
        signal_to(2, 0, COND);
        weft_order_ends_alone_(T(2));
        renew(2);
    }
    check_few(3);
}
END_TEST

START_TEST(test_threads_in_waves_leave_their_slots)
{
    begin_with(2);
    for (int i = 0; i < THREADS / 5; i++) {
        for (int a = 2; a < 12; a++) {
            start(0, a);
            nest(a, 0, 1);
        }
        for (int a = 2; a < 12; a++) {
            join(0, a);
            renew(a);
        }
    }
    check_few(12);
}
END_TEST

/* Of each only a moment in 16 is kept, at one of the two locks. */
START_TEST(test_threads_that_another_joins_leave_their_slots)
{
    begin_with(2);
    for (int i = 0; i < THREADS; i++) {
        start(0, 2);
        nest(2, 0, 1);
        join(3, 2);
        renew(2);
        if (i == 0)
            start(0, 3);
    }
    check_few(40);
}
END_TEST

START_TEST(test_threads_that_nobody_waits_for_leave_their_slots)
{
    begin_with(2);
    for (int i = 0; i < THREADS; i++) {
        start(0, 2);
        nest(2, 0, 1);
        weft_order_ends_alone_(T(2));
        renew(2);
    }
    check_few(40);
}
END_TEST

START_TEST(test_threads_that_start_each_other_leave_their_slots)
{
    begin_with(3);
    for (int i = 0; i < THREADS; i++) {
        const int a = 2 + i % 2;
        const int b = 2 + (i + 1) % 2;
        nest(a, 0, 1);
        start(a, b);
        weft_order_ends_alone_(T(a));
        renew(a);
    }
    check_few(40);
}
END_TEST

/* All of them live: there are as many slots, and clocks of more than 32 KiB. */
START_TEST(test_large_clocks_are_used_again)
{
    struct weft_order_thread *crowd = calloc(3000, sizeof(*crowd));

    ck_assert_ptr_nonnull(crowd);
    begin_with(2);
    for (int i = 0; i < 3000; i++) {
        weft_order_begins_(graph, &crowd[i], (uint64_t)(10000 + i));
        weft_order_tells_(&crowd[i], COND, NULL);
        weft_order_told_(T(0), COND);
        nest(0, 0, 1);
    }
    ck_assert_uint_gt(T(0)->node->clock->count, 2999);
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 16 * MIB);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
    free(crowd);
}
END_TEST

/* --- who has one ---------------------------------------------------------- */

START_TEST(test_who_begins_beside_what_is_kept_has_another_slot)
{
    begin_with(2);
    start(0, 2);
    nest(2, 0, 1);
    const uint32_t slot = slot_of(2);
    weft_order_ends_alone_(T(2));
    start(0, 3);
    ck_assert_uint_ne(slot_of(3), slot);
    nest(3, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_who_begins_behind_what_is_kept_has_the_slot)
{
    begin_with(2);
    start(0, 2);
    nest(2, 0, 1);
    const uint32_t slot = slot_of(2);
    signal_to(2, 0, COND);
    weft_order_ends_alone_(T(2));
    start(1, 3); /* is not behind it */
    ck_assert_uint_ne(slot_of(3), slot);
    start(0, 4);
    ck_assert_uint_eq(slot_of(4), slot);
    nest(4, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(3, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

/* What it did after others went on is not before them. */
START_TEST(test_who_begins_behind_a_part_has_another_slot)
{
    begin_with(2);
    start(0, 2);
    nest(2, 2, 3);
    const uint32_t slot = slot_of(2);
    signal_to(2, 0, COND);
    nest(2, 0, 1);
    weft_order_ends_alone_(T(2));
    start(0, 3);
    ck_assert_uint_ne(slot_of(3), slot);
    nest(3, 3, 2);
    ck_assert_int_eq(found_count(), 0);
    nest(3, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

/* Who knows the last time of the first knows nothing of the second. */
START_TEST(test_times_of_a_slot_go_on_counting)
{
    begin_with(2);
    start(0, 2);
    const uint32_t slot = slot_of(2);
    for (int i = 0; i < 5; i++) {
        signal_to(2, 0, COND);
        weft_order_told_(T(1), COND);
    }
    weft_order_ends_alone_(T(2));
    start(0, 3);
    ck_assert_uint_eq(slot_of(3), slot);
    nest(3, 0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_who_lives_keeps_its_slot)
{
    begin_with(2);
    start(0, 2);
    const uint32_t slot = slot_of(2); /* nothing of it is kept */
    start(0, 3);
    ck_assert_uint_ne(slot_of(3), slot);
    end_play();
}
END_TEST

START_TEST(test_who_is_joined_before_it_says_that_it_ends_keeps_its_slot)
{
    begin_with(2);
    start(0, 2);
    const uint32_t slot = slot_of(2);
    weft_order_joins_(T(0), actors[2].id);
    start(1, 3);
    ck_assert_uint_ne(slot_of(3), slot);
    weft_order_ends_(T(2));
    start(1, 4);
    ck_assert_uint_eq(slot_of(4), slot);
    end_play();
}
END_TEST

START_TEST(test_a_slot_of_which_nothing_is_kept_is_for_anybody)
{
    begin_with(2);
    start(0, 2);
    const uint32_t slot = slot_of(2);
    weft_order_ends_(T(2));
    start(1, 3);
    ck_assert_uint_eq(slot_of(3), slot);
    nest(3, 0, 1);
    weft_order_joins_(T(0), actors[2].id); /* behind 2, not behind 3 */
    nest(0, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

/* A semaphore keeps the moment of a post. */
START_TEST(test_moments_that_are_let_go_leave_the_slot)
{
    begin_with(2);
    start(0, 2);
    weft_order_sem_begins_(graph, OTHER, 0);
    weft_order_posts_(T(2), OTHER, 1);
    const uint32_t slot = slot_of(2);
    weft_order_ends_(T(2));
    start(1, 3);
    ck_assert_uint_ne(slot_of(3), slot);
    weft_order_forgets_(graph, OTHER, 1);
    start(1, 4);
    ck_assert_uint_eq(slot_of(4), slot);
    end_play();
}
END_TEST

START_TEST(test_a_moment_that_is_left_keeps_the_slot)
{
    begin_with(2);
    start(0, 2);
    weft_order_sem_begins_(graph, COND, 0);
    weft_order_sem_begins_(graph, OTHER, 0);
    weft_order_posts_(T(2), COND, 1);
    weft_order_posts_(T(2), OTHER, 1);
    const uint32_t slot = slot_of(2);
    weft_order_ends_(T(2));
    weft_order_forgets_(graph, OTHER, 1);
    start(1, 3);
    ck_assert_uint_ne(slot_of(3), slot);
    end_play();
}
END_TEST

START_TEST(test_a_thread_that_never_began_leaves_its_slot)
{
    begin_with(2);
    weft_order_creates_(T(0), 50);
    weft_order_joins_(T(0), 50);
    start(1, 3);
    ck_assert_uint_eq(slot_of(3), 2);
    end_play();
}
END_TEST

/* Whoever is behind the second that has a slot seems to have reached the time of
 * the first, but not what that one was behind. */
START_TEST(test_who_joins_late_is_behind_what_that_thread_was)
{
    for (int joiner = 3; joiner <= 4; joiner++) {
        begin_with(2);
        start(0, 2);
        start(0, 5);
        nest(5, 0, 1);
        join(2, 5);
        const uint32_t slot = slot_of(2);
        weft_order_ends_(T(2));
        start(1, 3);
        start(1, 4);
        ck_assert_uint_eq(slot_of(3), slot);
        signal_to(3, 4, COND);
        weft_order_joins_(T(joiner), actors[2].id);
        nest(joiner, 1, 0);
        ck_assert_int_eq(found_count(), 0);
        nest(joiner == 3 ? 4 : 3, 1, 0); /* has not joined it */
        ck_assert_int_eq(found_count(), 1);
        end_play();
    }
}
END_TEST

START_TEST(test_who_tells_after_its_end_is_behind_itself)
{
    begin_with(2);
    start(0, 2);
    nest(2, 0, 1);
    weft_order_ends_(T(2));
    weft_order_begins_(graph, T(2), actors[2].id);
    nest(2, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    join(0, 2);
    nest(0, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_who_tells_after_its_end_has_a_slot_of_its_own)
{
    begin_with(2);
    start(0, 2);
    weft_order_ends_(T(2));
    start(1, 3);
    weft_order_begins_(graph, T(2), actors[2].id);
    ck_assert_uint_ne(slot_of(2), slot_of(3));
    nest(2, 0, 1);
    nest(3, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_threads_that_are_waited_for_leave_their_slots, 1},
        {&test_threads_in_waves_leave_their_slots, 1},
        {&test_threads_that_another_joins_leave_their_slots, 1},
        {&test_threads_that_nobody_waits_for_leave_their_slots, 1},
        {&test_threads_that_start_each_other_leave_their_slots, 1},
        {&test_large_clocks_are_used_again, 1},
        {&test_who_begins_beside_what_is_kept_has_another_slot, 1},
        {&test_who_begins_behind_what_is_kept_has_the_slot, 1},
        {&test_who_begins_behind_a_part_has_another_slot, 1},
        {&test_times_of_a_slot_go_on_counting, 1},
        {&test_who_lives_keeps_its_slot, 1},
        {&test_who_is_joined_before_it_says_that_it_ends_keeps_its_slot, 1},
        {&test_a_slot_of_which_nothing_is_kept_is_for_anybody, 1},
        {&test_moments_that_are_let_go_leave_the_slot, 1},
        {&test_a_moment_that_is_left_keeps_the_slot, 1},
        {&test_a_thread_that_never_began_leaves_its_slot, 1},
        {&test_who_joins_late_is_behind_what_that_thread_was, 1},
        {&test_who_tells_after_its_end_is_behind_itself, 1},
        {&test_who_tells_after_its_end_has_a_slot_of_its_own, 1},
    };

    return run_tests("deadlock_order_slots", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

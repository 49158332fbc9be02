/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order.c - locks: which orders of them are a deadlock that could
 * happen.
 */
#include "actors.h"
#include "testing.h"

START_TEST(test_both_orders_in_two_threads_are_one)
{
    begin_with(2);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 0);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);

    const struct weft_order_found *f = found_at(0);
    ck_assert_int_eq(f->found.level, WEFT_DL_FEASIBLE);
    ck_assert_int_eq(f->found.shape, WEFT_DL_CYCLE);
    ck_assert_uint_eq(f->found.count, 2);
    ck_assert_uint_eq(f->picture.count, 2);
    uint32_t i = f->found.first;
    for (int k = 0; k < 2; k++) {
        const struct weft_dl_thread *t = &f->picture.threads[i];
        ck_assert_uint_eq(t->id, k == 0 ? 2 : 1);
        ck_assert_ptr_eq(t->wait.object, OBJECT(k));
        ck_assert_uint_eq(t->wait.place.call[0], 0x1000u + (unsigned)k);
        ck_assert_uint_eq(t->held_count, 1);
        ck_assert_ptr_eq(t->held[0].object, OBJECT(1 - k));
        ck_assert_uint_eq(t->held[0].place.call[0], 0x1001u - (unsigned)k);
        i = t->next;
    }
    ck_assert_uint_eq(i, WEFT_DL_NONE);
    end_play();
}
END_TEST

START_TEST(test_both_orders_in_one_thread_are_none)
{
    begin_with(2);
    nest(0, 0, 1);
    nest(0, 1, 0);
    nest(1, 2, 3);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_one_order_in_all_threads_is_none)
{
    begin_with(3);
    for (int a = 0; a < 3; a++)
        nest_3(a, 0, 1, 2);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_cycle_of_any_length_up_to_32_is_one)
{
    static const int lengths[] = {3, 4, 5, 6, 7, 10, 20, 31, 32, 33};
    const int n = lengths[_i];

    begin_with(n);
    for (int a = 0; a < n; a++) {
        ck_assert_int_eq(found_count(), 0);
        nest(a, a, (a + 1) % n);
    }
    ck_assert_int_eq(found_count(), n <= 32);
    if (n <= 32)
        ck_assert_uint_eq(found_at(0)->found.count, (unsigned)n);
    end_play();
}
END_TEST

START_TEST(test_three_of_whom_two_never_meet_are_none)
{
    begin_with(2);
    nest(1, 0, 1);
    join(0, 1);
    start(0, 2);
    nest(2, 1, 2);
    nest(0, 2, 0);
    ck_assert_int_eq(found_count(), 0);
    start(0, 3);
    nest(3, 0, 1);
    ck_assert_int_eq(found_count(), 0); /* behind what 0 has done */
    nest(0, 2, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_what_came_before_a_start_is_apart)
{
    begin_with(1);
    nest(0, 0, 1);
    start(0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1); /* again, beside it */
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_what_comes_behind_a_join_is_apart)
{
    begin_with(2);
    nest(1, 1, 0);
    join(0, 1);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 0);
    start(0, 2); /* has the slot of the other */
    nest(2, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_who_is_not_behind_a_join_is_beside)
{
    begin_with(3);
    nest(1, 0, 1);
    join(2, 1);
    start(0, 3); /* by one who does not know of that */
    nest(3, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_one_thread_after_another_is_apart)
{
    begin_with(1);
    for (int a = 1; a < 5; a++) {
        start(0, a);
        nest(a, a % 2, 1 - a % 2);
        join(0, a);
    }
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_nobody_knows_who_started_it)
{
    begin_with(1);
    nest(0, 0, 1);
    appear(1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_gate_keeps_them_apart)
{
    begin_with(2);
    nest_3(0, 2, 0, 1);
    nest_3(1, 2, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_two_readers_of_a_gate_are_not_apart)
{
    begin_with(2);
    for (int a = 0; a < 2; a++) {
        take(a, 2, WEFT_KIND_READ);
        nest(a, a, 1 - a);
        give(a, 2, WEFT_KIND_READ);
    }
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_reader_and_a_writer_of_a_gate_are_apart)
{
    begin_with(2);
    for (int a = 0; a < 2; a++) {
        take(a, 2, a == 0 ? WEFT_KIND_READ : WEFT_KIND_WRITE);
        nest(a, a, 1 - a);
        give(a, 2, a == 0 ? WEFT_KIND_READ : WEFT_KIND_WRITE);
    }
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_two_of_three_that_share_a_gate_are_apart)
{
    begin_with(3);
    nest_3(0, 3, 0, 1);
    nest_3(1, 3, 1, 2);
    nest(2, 2, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(1, 1, 2);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

static void
nest_kinds(int a, int first, enum weft_kind outer, int second,
           enum weft_kind inner)
{
    take(a, first, outer);
    take(a, second, inner);
    give(a, second, inner);
    give(a, first, outer);
}

START_TEST(test_readers_do_not_wait_for_each_other)
{
    begin_with(2);
    nest_kinds(0, 0, WEFT_KIND_READ, 1, WEFT_KIND_MUTEX);
    nest_kinds(1, 1, WEFT_KIND_MUTEX, 0, WEFT_KIND_READ);
    ck_assert_int_eq(found_count(), 0);
    nest_kinds(1, 1, WEFT_KIND_MUTEX, 0, WEFT_KIND_WRITE);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_reader_waits_for_a_writer)
{
    begin_with(2);
    nest_kinds(0, 0, WEFT_KIND_WRITE, 1, WEFT_KIND_SPIN);
    nest_kinds(1, 1, WEFT_KIND_SPIN, 0, WEFT_KIND_READ);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_what_a_try_gets_is_held_but_not_waited_for)
{
    begin_with(2);
    nest(0, 0, 1);
    lock(1, 1);
    catch (1, 0, WEFT_KIND_MUTEX);
    ck_assert_int_eq(found_count(), 0);
    unlock(1, 1);
    lock(1, 1); /* now while it holds what it tried */
    ck_assert_int_eq(found_count(), 0);
    unlock(1, 1);
    unlock(1, 0);
    nest(1, 2, 0);
    catch (0, 1, WEFT_KIND_MUTEX);
    lock(0, 2);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_try_in_front_counts_as_held)
{
    begin_with(2);
    catch (0, 0, WEFT_KIND_MUTEX);
    lock(0, 1);
    unlock(0, 1);
    unlock(0, 0);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_lock_taken_again_is_no_edge)
{
    begin_with(2);
    take(0, 0, WEFT_KIND_RMUTEX);
    lock(0, 1);
    take(0, 0, WEFT_KIND_RMUTEX);
    give(0, 0, WEFT_KIND_RMUTEX);
    unlock(0, 1);
    give(0, 0, WEFT_KIND_RMUTEX);
    take(1, 0, WEFT_KIND_RMUTEX);
    take(1, 0, WEFT_KIND_RMUTEX);
    lock(1, 1);
    ck_assert_int_eq(found_count(), 0);
    unlock(1, 1);
    give(1, 0, WEFT_KIND_RMUTEX);
    give(1, 0, WEFT_KIND_RMUTEX);
    nest_kinds(1, 1, WEFT_KIND_MUTEX, 0, WEFT_KIND_RMUTEX);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_the_same_places_are_told_once)
{
    begin_with(4);
    here = 0x4711;
    for (int i = 0; i < 10; i += 2) {
        nest(0, i, i + 1);
        nest(1, i + 1, i);
        nest(2, i, i + 1);
        nest(3, i + 1, i);
    }
    for (int a = 0; a < 3; a++) /* of another length */
        nest(a, 20 + a, 20 + (a + 1) % 3);
    ck_assert_int_eq(found_count(), 1);
    here = 0x4712;
    start(0, 4);
    nest(4, 0, 1);
    ck_assert_int_eq(found_count(), 2);
    end_play();
}
END_TEST

START_TEST(test_where_no_place_is_known_each_lock_is_told)
{
    begin_with(2);
    here = NOWHERE;
    for (int i = 0; i < 6; i += 2) {
        nest(0, i, i + 1);
        nest(1, i + 1, i);
    }
    ck_assert_int_eq(found_count(), 3);
    end_play();
}
END_TEST

START_TEST(test_the_shortest_is_told_first)
{
    begin_with(4);
    nest(0, 0, 1);
    nest(1, 1, 2);
    nest(2, 1, 0); /* two threads */
    ck_assert_int_eq(found_count(), 1);
    ck_assert_uint_eq(found_at(0)->found.count, 2);
    nest_3(3, 2, 0, 4); /* three: 0, 1, 2 */
    ck_assert_int_eq(found_count(), 2);
    ck_assert_uint_eq(found_at(1)->found.count, 3);
    end_play();
}
END_TEST

START_TEST(test_an_address_used_again_is_another_lock)
{
    begin_with(2);
    nest(0, 0, 1);
    weft_order_forgets_(graph, OBJECT(0), 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1); /* known of the old one only */
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_memory_is_forgotten_with_all_locks_in_it)
{
    static const size_t sizes[] = {16, 4096, (size_t)1 << 40};

    begin_with(2);
    nest(0, 0, 1);
    weft_order_forgets_(graph, objects, sizes[_i]);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 1);
    weft_order_forgets_(graph, OBJECT(9), 4096);
    here = 1;
    appear(2);
    nest(2, 1, 0);
    ck_assert_int_eq(found_count(), 2);
    end_play();
}
END_TEST

START_TEST(test_what_is_told_twice_is_known)
{
    begin_with(1);
    nest(0, 0, 1);
    lock(0, 0);
    ck_assert(weft_order_knows_(&actors[0].order, OBJECT(1), WEFT_KIND_MUTEX));
    ck_assert(!weft_order_knows_(&actors[0].order, OBJECT(2), WEFT_KIND_MUTEX));
    ck_assert(!weft_order_knows_(&actors[0].order, OBJECT(1), WEFT_KIND_SPIN));
    unlock(0, 0);
    start(0, 1); /* beside another thread it is news */
    lock(0, 0);
    ck_assert(!weft_order_knows_(&actors[0].order, OBJECT(1), WEFT_KIND_MUTEX));
    unlock(0, 0);
    end_play();
}
END_TEST

START_TEST(test_a_thread_that_has_ended_tells_nothing)
{
    begin_with(2);
    nest(0, 0, 1);
    weft_order_ends_(&actors[1].order);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    nest(9, 1, 0); /* never began */
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_child_of_fork_notes_nothing)
{
    begin_with(2);
    nest(0, 0, 1);
    weft_order_after_fork_(graph);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_both_orders_in_two_threads_are_one, 1},
        {&test_both_orders_in_one_thread_are_none, 1},
        {&test_one_order_in_all_threads_is_none, 1},
        {&test_a_cycle_of_any_length_up_to_32_is_one, 10},
        {&test_what_came_before_a_start_is_apart, 1},
        {&test_what_comes_behind_a_join_is_apart, 1},
        {&test_three_of_whom_two_never_meet_are_none, 1},
        {&test_who_is_not_behind_a_join_is_beside, 1},
        {&test_one_thread_after_another_is_apart, 1},
        {&test_nobody_knows_who_started_it, 1},
        {&test_a_gate_keeps_them_apart, 1},
        {&test_two_readers_of_a_gate_are_not_apart, 1},
        {&test_a_reader_and_a_writer_of_a_gate_are_apart, 1},
        {&test_two_of_three_that_share_a_gate_are_apart, 1},
        {&test_readers_do_not_wait_for_each_other, 1},
        {&test_a_reader_waits_for_a_writer, 1},
        {&test_what_a_try_gets_is_held_but_not_waited_for, 1},
        {&test_a_try_in_front_counts_as_held, 1},
        {&test_a_lock_taken_again_is_no_edge, 1},
        {&test_the_same_places_are_told_once, 1},
        {&test_where_no_place_is_known_each_lock_is_told, 1},
        {&test_the_shortest_is_told_first, 1},
        {&test_an_address_used_again_is_another_lock, 1},
        {&test_memory_is_forgotten_with_all_locks_in_it, 3},
        {&test_what_is_told_twice_is_known, 1},
        {&test_a_thread_that_has_ended_tells_nothing, 1},
        {&test_a_child_of_fork_notes_nothing, 1},
    };

    return run_tests("deadlock_order", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

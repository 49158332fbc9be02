/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_sync.c - what else than locks must come first.
 */
#include "actors.h"
#include "testing.h"

#define ONCE      OBJECT(100)
#define BARRIER   OBJECT(101)
#define SEMAPHORE OBJECT(102)
#define COND      OBJECT(103)
#define OTHER     OBJECT(104) /* another condition */

/* Actor 0 has taken 0, 1; now `a` takes 1, 0: is that told? */
static bool
is_news(int a)
{
    const int before = found_count();

    nest(a, 1, 0);
    return found_count() > before;
}

/* --- onces ---------------------------------------------------------------- */

START_TEST(test_who_passes_a_once_is_behind_who_ran_it)
{
    begin_with(3);
    nest(0, 0, 1);
    weft_order_ran_(T(0), ONCE);
    weft_order_passed_(T(1), ONCE);
    ck_assert(!is_news(1));
    ck_assert(is_news(2)); /* has not passed it */
    end_play();
}
END_TEST

START_TEST(test_who_ran_a_once_goes_on_beside_the_others)
{
    begin_with(2);
    weft_order_ran_(T(0), ONCE);
    weft_order_passed_(T(1), ONCE);
    nest(0, 0, 1);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_a_once_and_a_lock_are_a_cycle)
{
    begin_with(2);
    take(0, 5, WEFT_KIND_ONCE); /* runs it */
    lock(0, 0);
    unlock(0, 0);
    weft_order_ran_(T(0), OBJECT(5));
    give(0, 5, WEFT_KIND_ONCE);
    lock(1, 0);
    take(1, 5, WEFT_KIND_ONCE); /* would have waited */
    weft_order_passed_(T(1), OBJECT(5));
    give(1, 5, WEFT_KIND_ONCE);
    unlock(1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_once_is_passed_again_without_a_cycle)
{
    begin_with(2);
    take(0, 5, WEFT_KIND_ONCE);
    lock(0, 0);
    unlock(0, 0);
    weft_order_ran_(T(0), OBJECT(5));
    give(0, 5, WEFT_KIND_ONCE);
    weft_order_passed_(T(1), OBJECT(5));
    lock(1, 0);
    take(1, 5, WEFT_KIND_ONCE);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

/* --- barriers ------------------------------------------------------------- */

START_TEST(test_a_barrier_keeps_before_and_behind_apart)
{
    begin_with(3);
    nest(0, 0, 1);
    meet_at(BARRIER, 3);
    ck_assert(!is_news(1));
    ck_assert(!is_news(2));
    end_play();
}
END_TEST

START_TEST(test_the_same_side_of_a_barrier_is_not_apart)
{
    begin_with(2);
    meet_at(BARRIER, 2);
    nest(0, 0, 1);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_a_barrier_goes_by_rounds)
{
    begin_with(2);
    for (int round = 0; round < 100; round++) { /* by turns */
        nest(round % 2, round % 2, 1 - round % 2);
        meet_at(BARRIER, 2);
    }
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_a_fast_thread_is_in_the_next_round_already)
{
    begin_with(2);
    weft_order_arrives_(T(0), BARRIER, 2);
    weft_order_arrives_(T(1), BARRIER, 2);
    weft_order_leaves_(T(0), BARRIER);
    nest(0, 0, 1);
    weft_order_arrives_(T(0), BARRIER, 2);
    weft_order_leaves_(T(1), BARRIER); /* the first round */
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_a_round_that_is_not_complete_orders_nothing)
{
    begin_with(3);
    nest(0, 0, 1);
    weft_order_arrives_(T(0), BARRIER, 3);
    weft_order_arrives_(T(1), BARRIER, 3);
    weft_order_leaves_(T(1), BARRIER); /* it failed */
    ck_assert(is_news(1));
    end_play();
}
END_TEST

/* --- semaphores ----------------------------------------------------------- */

START_TEST(test_a_semaphore_from_0_orders)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_two_of_three_that_follow_each_other_are_apart)
{
    const int first = 1 + _i; /* of those whose parts were there before */
    const int second = 2 - _i;

    begin_with(3);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    nest(first, first, (first + 1) % 3);
    weft_order_posts_(T(first), SEMAPHORE, 1);
    weft_order_takes_(T(second), SEMAPHORE);
    nest(second, second, (second + 1) % 3);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 0);
    here = 7;
    nest(first, first, (first + 1) % 3); /* beside it */
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_semaphore_from_1_orders_nothing)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 1);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_the_second_post_is_not_needed_for_the_first_take)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(is_news(1));
    here = 7; /* other places, to be told again */
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_the_post_of_either_is_enough)
{
    begin_with(3);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_posts_(T(2), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(is_news(1)); /* it could have been that of 2 */
    here = 7;
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(!is_news(1)); /* it needed both */
    end_play();
}
END_TEST

START_TEST(test_what_another_took_before_counts)
{
    begin_with(3);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(2), SEMAPHORE);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_ran_(T(2), ONCE);
    weft_order_passed_(T(1), ONCE); /* behind the first take */
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_what_another_took_beside_does_not_count)
{
    begin_with(3);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(2), SEMAPHORE);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE); /* could have been the first */
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_posts_are_kept_over_many_rounds)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_sem_begins_(graph, COND, 0); /* the way back */
    for (int i = 0; i < 100; i++) {
        nest(0, 0, 1);
        weft_order_posts_(T(0), SEMAPHORE, 1);
        weft_order_takes_(T(1), SEMAPHORE);
        nest(1, 1, 0);
        weft_order_posts_(T(1), COND, 1);
        weft_order_takes_(T(0), COND);
    }
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_posts_that_nobody_told_of_end_the_order)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(0), SEMAPHORE);
    weft_order_takes_(T(0), SEMAPHORE); /* who posted that? */
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_a_post_in_a_handler_ends_the_order)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    T(1)->inside = true;
    weft_order_posts_(T(1), SEMAPHORE, 1);
    T(1)->inside = false;
    weft_order_takes_(T(1), SEMAPHORE);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

/* --- conditions ----------------------------------------------------------- */

START_TEST(test_who_is_told_is_behind_who_told)
{
    begin_with(3);
    nest(0, 0, 1);
    weft_order_tells_(T(0), COND, NULL);
    weft_order_told_(T(1), COND);
    ck_assert(!is_news(1));
    ck_assert(is_news(2));
    end_play();
}
END_TEST

START_TEST(test_who_counts_is_behind_all_who_told)
{
    begin_with(3);
    nest(0, 0, 1);
    tell(0, COND);
    tell(2, COND);
    lock_guard(1, &at_guard);
    weft_order_told_(T(1), COND);
    unlock_guard(1);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_who_looks_under_the_guard_is_behind_who_told)
{
    begin_with(2);
    nest(0, 0, 1);
    tell(0, COND);
    lock_guard(1, &at_guard); /* finds that it need not wait */
    unlock_guard(1);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_what_was_done_until_the_guard_is_free_comes_before)
{
    begin_with(2);
    lock_guard(0, &elsewhere);
    weft_order_tells_(T(0), COND, OBJECT(GUARD));
    nest(0, 0, 1);
    unlock_guard(0);
    lock_guard(1, &at_guard);
    unlock_guard(1);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_who_tells_too_is_not_behind_who_told)
{
    begin_with(2);
    nest(0, 0, 1);
    tell(0, COND);
    tell(1, COND); /* another one of those */
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_who_tells_another_is_behind_who_told_the_first)
{
    begin_with(2);
    nest(0, 0, 1);
    tell(0, COND);
    tell(1, OTHER); /* has taken out what the other put in */
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_who_locks_the_guard_elsewhere_does_not_look)
{
    begin_with(4);
    listen(2, COND, 3);
    lock_guard(1, &elsewhere);
    unlock_guard(1);
    nest(0, 0, 1);
    tell(0, COND);
    lock_guard(1, &elsewhere);
    unlock_guard(1);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

/* It may be late, and what others wait for be there already. */
START_TEST(test_who_locks_the_guard_for_the_first_time_looks)
{
    begin_with(4);
    listen(2, COND, 3);
    nest(0, 0, 1);
    tell(0, COND);
    lock_guard(1, &elsewhere);
    unlock_guard(1);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_who_locks_it_for_the_first_time_and_tells_does_not)
{
    begin_with(4);
    listen(2, COND, 3);
    nest(0, 0, 1);
    tell(0, COND);
    tell(1, COND);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_who_locks_the_guard_where_others_wait_looks)
{
    begin_with(4);
    listen(2, COND, 3);
    nest(0, 0, 1);
    tell(0, COND);
    lock_guard(1, &at_guard);
    unlock_guard(1);
    ck_assert(!is_news(1));
    end_play();
}
END_TEST

START_TEST(test_a_mutex_that_guards_nothing_orders_nothing)
{
    begin_with(2);
    nest(0, 0, 1);
    lock_guard(0, &elsewhere);
    unlock_guard(0);
    lock_guard(1, &elsewhere);
    unlock_guard(1);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

START_TEST(test_what_orders_is_forgotten_with_its_memory)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    nest(0, 0, 1);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_ran_(T(0), ONCE);
    tell(0, COND);
    weft_order_arrives_(T(0), BARRIER, 1);
    weft_order_forgets_(graph, OBJECT(100), 40);
    weft_order_takes_(T(1), SEMAPHORE);
    weft_order_passed_(T(1), ONCE);
    weft_order_told_(T(1), COND);
    lock_guard(1, &at_guard);
    unlock_guard(1);
    ck_assert(is_news(1));
    end_play();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_who_passes_a_once_is_behind_who_ran_it, 1},
        {&test_who_ran_a_once_goes_on_beside_the_others, 1},
        {&test_a_once_and_a_lock_are_a_cycle, 1},
        {&test_a_once_is_passed_again_without_a_cycle, 1},
        {&test_a_barrier_keeps_before_and_behind_apart, 1},
        {&test_the_same_side_of_a_barrier_is_not_apart, 1},
        {&test_a_barrier_goes_by_rounds, 1},
        {&test_a_fast_thread_is_in_the_next_round_already, 1},
        {&test_a_round_that_is_not_complete_orders_nothing, 1},
        {&test_a_semaphore_from_0_orders, 1},
        {&test_two_of_three_that_follow_each_other_are_apart, 2},
        {&test_a_semaphore_from_1_orders_nothing, 1},
        {&test_the_second_post_is_not_needed_for_the_first_take, 1},
        {&test_the_post_of_either_is_enough, 1},
        {&test_what_another_took_before_counts, 1},
        {&test_what_another_took_beside_does_not_count, 1},
        {&test_posts_are_kept_over_many_rounds, 1},
        {&test_posts_that_nobody_told_of_end_the_order, 1},
        {&test_a_post_in_a_handler_ends_the_order, 1},
        {&test_who_is_told_is_behind_who_told, 1},
        {&test_who_counts_is_behind_all_who_told, 1},
        {&test_who_looks_under_the_guard_is_behind_who_told, 1},
        {&test_what_was_done_until_the_guard_is_free_comes_before, 1},
        {&test_who_tells_too_is_not_behind_who_told, 1},
        {&test_who_tells_another_is_behind_who_told_the_first, 1},
        {&test_who_locks_the_guard_elsewhere_does_not_look, 1},
        {&test_who_locks_the_guard_for_the_first_time_looks, 1},
        {&test_who_locks_it_for_the_first_time_and_tells_does_not, 1},
        {&test_who_locks_the_guard_where_others_wait_looks, 1},
        {&test_a_mutex_that_guards_nothing_orders_nothing, 1},
        {&test_what_orders_is_forgotten_with_its_memory, 1},
    };

    return run_tests("deadlock_order_sync", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

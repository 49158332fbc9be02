/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_sync.c - what else than locks: what must come first, and
 * what is waited for with a lock in hand.
 */
#include "actors.h"
#include "testing.h"

#define T(a) (&actors[a].order)

#define ONCE      OBJECT(100)
#define BARRIER   OBJECT(101)
#define SEMAPHORE OBJECT(102)
#define COND      OBJECT(103)
#define OTHER     OBJECT(104) /* another condition */
#define GUARD     20

/* The first actor and n - 1 that it has started. */
static void
begin_with(int n)
{
    begin_play(false);
    for (int a = 1; a < n; a++)
        start(0, a);
}

/* Actor 0 has taken 0, 1; now `a` takes 1, 0: is that told? */
static bool
is_news(int a)
{
    const int before = found_count();

    nest(a, 1, 0);
    return found_count() > before;
}

static const struct weft_dl_place at_guard = {{0x9001}};
static const struct weft_dl_place elsewhere = {{0x9002}};

static void
lock_guard(int a, const struct weft_dl_place *place)
{
    lock(a, GUARD);
    if (weft_order_is_guard_(OBJECT(GUARD)))
        weft_order_passes_(T(a), OBJECT(GUARD), place);
}

static void
unlock_guard(int a)
{
    if (weft_order_is_guard_(OBJECT(GUARD)))
        weft_order_frees_(T(a), OBJECT(GUARD));
    unlock(a, GUARD);
}

/* `a` tells a condition under its guard. */
static void
tell(int a, const void *cond)
{
    lock_guard(a, &elsewhere);
    weft_order_tells_(T(a), cond, OBJECT(GUARD));
    unlock_guard(a);
}

/* `a` waits for a condition that `teller` tells; NULL: nobody, it was told. */
static void
listen(int a, const void *cond, int teller)
{
    lock_guard(a, &at_guard);
    weft_order_listens_(T(a), cond, OBJECT(GUARD), &at_guard);
    unlock_guard(a);
    tell(teller, cond);
    lock_guard(a, &at_guard);
    weft_order_told_(T(a), cond);
    unlock_guard(a);
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

static void
meet(int n)
{
    for (int a = 0; a < n; a++)
        weft_order_arrives_(T(a), BARRIER, (uint32_t)n);
    for (int a = 0; a < n; a++)
        weft_order_leaves_(T(a), BARRIER);
}

START_TEST(test_a_barrier_keeps_before_and_behind_apart)
{
    begin_with(3);
    nest(0, 0, 1);
    meet(3);
    ck_assert(!is_news(1));
    ck_assert(!is_news(2));
    end_play();
}
END_TEST

START_TEST(test_the_same_side_of_a_barrier_is_not_apart)
{
    begin_with(2);
    meet(2);
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
        meet(2);
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
    nest(0, 0, 1);
    tell(0, COND);
    lock_guard(1, &elsewhere);
    unlock_guard(1);
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

/* --- waits with a lock in hand -------------------------------------------- */

/* `a` waits, with all that it holds. */
static void
await(int a, const void *object, enum weft_kind kind)
{
    const struct weft_dl_held wanted = {object, kind, {{0x5000}}};

    weft_order_awaits_(T(a), &wanted, actors[a].held, actors[a].count);
}

START_TEST(test_a_join_of_one_who_needs_a_lock_that_is_held)
{
    begin_with(2);
    lock(1, 0);
    unlock(1, 0);
    lock(0, 0);
    await(0, NULL, WEFT_KIND_THREAD);
    join(0, 1);
    ck_assert_int_eq(found_count(), 1);
    const struct weft_dl_thread *t = found_at(0)->picture.threads;
    ck_assert_int_eq(found_at(0)->found.level, WEFT_DL_FEASIBLE);
    ck_assert_int_eq(t[0].wait.kind, WEFT_KIND_THREAD);
    ck_assert_uint_eq(t[0].held_count, 1);
    ck_assert_uint_eq(t[1].id, 2);
    ck_assert_uint_eq(t[1].held_count, 0);
    ck_assert_ptr_eq(t[1].wait.object, OBJECT(0));
    end_play();
}
END_TEST

START_TEST(test_a_join_without_that_lock_is_none)
{
    begin_with(2);
    lock(1, 0);
    unlock(1, 0);
    lock(0, 0);
    unlock(0, 0);
    lock(0, 1);
    await(0, NULL, WEFT_KIND_THREAD);
    join(0, 1);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_join_of_one_who_must_have_had_the_lock_before_is_none)
{
    begin_play(_i == 1); /* nor are plain orders told of waits */
    start(0, 1);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    lock(1, 0);
    unlock(1, 0);
    weft_order_posts_(T(1), SEMAPHORE, 1);
    weft_order_takes_(T(0), SEMAPHORE);
    lock(0, 0);
    await(0, NULL, WEFT_KIND_THREAD);
    join(0, 1);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_join_through_a_third_thread)
{
    begin_with(3);
    nest(2, 1, 0); /* holds 1, needs 0 */
    lock(1, 1);
    unlock(1, 1);
    lock(0, 0);
    await(0, NULL, WEFT_KIND_THREAD);
    join(0, 1);
    ck_assert_int_eq(found_count(), 1);
    ck_assert_uint_eq(found_at(0)->found.count, 3);
    end_play();
}
END_TEST

START_TEST(test_a_barrier_that_another_reaches_by_that_lock)
{
    begin_with(2);
    lock(1, 0);
    unlock(1, 0);
    weft_order_arrives_(T(1), BARRIER, 2);
    lock(0, 0);
    await(0, BARRIER, WEFT_KIND_BARRIER);
    weft_order_arrives_(T(0), BARRIER, 2);
    weft_order_leaves_(T(0), BARRIER);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_what_is_locked_behind_the_barrier_is_none)
{
    begin_with(2);
    weft_order_arrives_(T(1), BARRIER, 2);
    lock(0, 0);
    await(0, BARRIER, WEFT_KIND_BARRIER);
    weft_order_arrives_(T(0), BARRIER, 2);
    weft_order_leaves_(T(1), BARRIER);
    lock(1, 0);
    unlock(1, 0);
    weft_order_leaves_(T(0), BARRIER);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_barrier_that_more_threads_use_than_parties)
{
    begin_with(4);
    meet(2);
    lock(3, 0); /* others could have come in its place */
    unlock(3, 0);
    weft_order_arrives_(T(3), BARRIER, 2);
    lock(0, 0);
    await(0, BARRIER, WEFT_KIND_BARRIER);
    weft_order_arrives_(T(0), BARRIER, 2);
    weft_order_leaves_(T(0), BARRIER);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_semaphore_whose_poster_needs_that_lock)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    lock(1, 0);
    unlock(1, 0);
    weft_order_posts_(T(1), SEMAPHORE, 1);
    lock(1, 3);
    unlock(1, 3);
    lock(0, 0);
    lock(0, 3); /* what he needs behind the post */
    await(0, SEMAPHORE, WEFT_KIND_SEMAPHORE);
    weft_order_takes_(T(0), SEMAPHORE);
    ck_assert_int_eq(found_count(), 1);
    ck_assert_ptr_eq(found_at(0)->picture.threads[1].wait.object, OBJECT(0));
    end_play();
}
END_TEST

START_TEST(test_a_semaphore_that_another_could_have_posted)
{
    begin_with(3);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    lock(1, 0);
    unlock(1, 0);
    weft_order_posts_(T(1), SEMAPHORE, 1);
    weft_order_posts_(T(2), SEMAPHORE, 1);
    lock(0, 0);
    await(0, SEMAPHORE, WEFT_KIND_SEMAPHORE);
    weft_order_takes_(T(0), SEMAPHORE);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_condition_whose_teller_needs_that_lock)
{
    begin_with(2);
    lock(1, 0);
    unlock(1, 0);
    lock(0, 0);
    await(0, COND, WEFT_KIND_COND);
    listen(0, COND, 1);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_a_condition_that_two_tell_is_not_certain)
{
    begin_with(3);
    tell(2, COND);
    lock(1, 0);
    unlock(1, 0);
    lock(0, 0);
    await(0, COND, WEFT_KIND_COND);
    listen(0, COND, 1);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_a_wait_that_is_over_is_not_asked_again)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_posts_(T(1), SEMAPHORE, 1);
    lock(0, 0);
    await(0, SEMAPHORE, WEFT_KIND_SEMAPHORE);
    weft_order_takes_(T(0), SEMAPHORE);
    unlock(0, 0);
    lock(1, 0);
    unlock(1, 0);
    weft_order_posts_(T(1), SEMAPHORE, 1);
    weft_order_takes_(T(0), SEMAPHORE); /* with nothing in hand */
    ck_assert_int_eq(found_count(), 0);
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
        {&test_who_locks_the_guard_where_others_wait_looks, 1},
        {&test_a_mutex_that_guards_nothing_orders_nothing, 1},
        {&test_what_orders_is_forgotten_with_its_memory, 1},
        {&test_a_join_of_one_who_needs_a_lock_that_is_held, 1},
        {&test_a_join_without_that_lock_is_none, 1},
        {&test_a_join_of_one_who_must_have_had_the_lock_before_is_none, 2},
        {&test_a_join_through_a_third_thread, 1},
        {&test_a_barrier_that_another_reaches_by_that_lock, 1},
        {&test_what_is_locked_behind_the_barrier_is_none, 1},
        {&test_a_barrier_that_more_threads_use_than_parties, 1},
        {&test_a_semaphore_whose_poster_needs_that_lock, 1},
        {&test_a_semaphore_that_another_could_have_posted, 1},
        {&test_a_condition_whose_teller_needs_that_lock, 1},
        {&test_a_condition_that_two_tell_is_not_certain, 1},
        {&test_a_wait_that_is_over_is_not_asked_again, 1},
    };

    return run_tests("deadlock_order_sync", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

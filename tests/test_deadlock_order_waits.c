/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_waits.c - what is waited for with a lock in hand.
 */
#include "actors.h"
#include "testing.h"

#define BARRIER   OBJECT(101)
#define SEMAPHORE OBJECT(102)
#define COND      OBJECT(103)

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
    meet_at(BARRIER, 2);
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

START_TEST(test_a_semaphore_that_others_post_unseen_orders_and_no_more)
{
    begin_with(2);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_sem_shared_(graph, SEMAPHORE);
    lock(1, 0);
    unlock(1, 0);
    nest(1, 1, 2);
    weft_order_posts_(T(1), SEMAPHORE, 1);
    lock(0, 0);
    await(0, SEMAPHORE, WEFT_KIND_SEMAPHORE);
    weft_order_takes_(T(0), SEMAPHORE);
    nest(0, 2, 1);
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
        {&test_a_join_of_one_who_needs_a_lock_that_is_held, 1},
        {&test_a_join_without_that_lock_is_none, 1},
        {&test_a_join_of_one_who_must_have_had_the_lock_before_is_none, 2},
        {&test_a_join_through_a_third_thread, 1},
        {&test_a_barrier_that_another_reaches_by_that_lock, 1},
        {&test_what_is_locked_behind_the_barrier_is_none, 1},
        {&test_a_barrier_that_more_threads_use_than_parties, 1},
        {&test_a_semaphore_whose_poster_needs_that_lock, 1},
        {&test_a_semaphore_that_another_could_have_posted, 1},
        {&test_a_semaphore_that_others_post_unseen_orders_and_no_more, 1},
        {&test_a_condition_whose_teller_needs_that_lock, 1},
        {&test_a_condition_that_two_tell_is_not_certain, 1},
        {&test_a_wait_that_is_over_is_not_asked_again, 1},
    };

    return run_tests("deadlock_order_waits", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

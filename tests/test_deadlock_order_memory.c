/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_memory.c - what is kept of long runs, and what happens
 * when there is no memory.
 */
#include "actors.h"
#include "deadlock/order_impl.h"
#include "testing.h"

#define BARRIER   OBJECT(1001)
#define SEMAPHORE OBJECT(1002)
#define COND      OBJECT(1003)
#define ONCE      OBJECT(1004)
#define MIB       ((size_t)1 << 20)

/* Actor `a` becomes a thread that never was. */
static void
renew(int a)
{
    static uint64_t ids = 1000;

    actors[a].id = ids++;
}

static void
meet(int a, int b)
{
    weft_order_arrives_(T(a), BARRIER, 2);
    weft_order_arrives_(T(b), BARRIER, 2);
    weft_order_leaves_(T(a), BARRIER);
    weft_order_leaves_(T(b), BARRIER);
}

/* A bit of everything, on other locks each time. */
static void
do_all(int i)
{
    static const struct weft_dl_place place = {{0x77}};
    const struct weft_dl_held thread = {NULL, WEFT_KIND_THREAD, {{0x78}}};

    start(0, 2);
    nest_3(0, 10 * i, 10 * i + 1, 10 * i + 2);
    nest_3(1, 10 * i + 3, 10 * i + 2, 10 * i + 4);
    nest(2, 10 * i + 4, 10 * i);
    weft_order_sem_begins_(graph, SEMAPHORE, 0);
    weft_order_posts_(T(0), SEMAPHORE, 1);
    weft_order_takes_(T(1), SEMAPHORE);
    weft_order_ran_(T(0), ONCE);
    weft_order_passed_(T(1), ONCE);
    meet(0, 1);
    weft_order_listens_(T(1), COND, OBJECT(9), &place);
    weft_order_tells_(T(0), COND, OBJECT(9));
    weft_order_frees_(T(0), OBJECT(9));
    weft_order_passes_(T(1), OBJECT(9), &place);
    weft_order_told_(T(1), COND);
    lock(0, 10 * i + 5);
    weft_order_awaits_(T(0), &thread, actors[0].held, actors[0].count);
    join(0, 2);
    unlock(0, 10 * i + 5);
    if (i % 3 == 0)
        weft_order_forgets_(graph, OBJECT(10 * i), 80);
    renew(2);
}

START_TEST(test_a_mapping_that_fails_ends_the_notes)
{
    bool failed = true;

    for (int k = 1; failed; k++) {
        map_fails = k;
        begin_play(false);
        failed = graph == NULL;
        for (int i = 0; i < 100 && graph != NULL; i++) {
            if (i == 0)
                start(0, 1);
            do_all(i);
        }
        if (graph != NULL) {
            failed = weft_order_is_full_(graph);
            ck_assert(failed == (map_calls >= k));
            const int found = found_count();
            nest(0, 1, 2); /* tells nothing, or nothing new */
            ck_assert_int_eq(found_count(), found);
        }
        ck_assert_int_lt(k, 1000);
        end_play();
    }
    ck_assert_int_gt(map_fails, 5);
    map_fails = 0;
}
END_TEST

START_TEST(test_a_full_graph_does_not_invent_deadlocks)
{
    graph_bytes = MIB / 2;
    begin_with(2);
    for (int i = 0; !weft_order_is_full_(graph); i += 2) {
        ck_assert_int_lt(i, OBJECTS - 8);
        nest(0, i, i + 1);
    }
    meet(0, 1); /* is not noted: nothing may be, behind it */
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    ck_assert_uint_le(weft_order_bytes_(graph), MIB / 2);
    ck_assert(weft_order_knows_(T(1), OBJECT(1), WEFT_KIND_MUTEX));
    end_play();
}
END_TEST

START_TEST(test_locks_that_live_once_leave_nothing)
{
    begin_with(2);
    for (int i = 0; i < 60000; i++) {
        const int l = 2000 + 8 * (i % 64);
        nest_3(i % 2, 0, l, l + 1);
        lock(i % 2, l);
        weft_order_forgets_(graph, OBJECT(l), 16);
        unlock(i % 2, l);
    }
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 6 * MIB);
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1);
    nest(1, 1, 0); /* and what lives is still seen */
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

/* Whether a finding has a thread that wants `lock`, where it was wanted
 * first. */
static bool
is_found(int lock)
{
    for (int i = 0; i < found_count(); i++)
        for (uint32_t k = 0; k < found_at(i)->picture.count; k++) {
            const struct weft_dl_wait *w =
                &found_at(i)->picture.threads[k].wait;
            if (w->object == OBJECT(lock) &&
                w->place.call[0] == 0x1000u + (unsigned)lock)
                return true;
        }
    return false;
}

START_TEST(test_a_sweep_keeps_what_lives)
{
    begin_with(3);
    nest_3(0, 0, 1, 2);
    nest(1, 2, 3);
    here = 5;
    for (int i = 0; i < 4100; i++) {
        const int l = 2000 + 8 * (i % 64);
        nest_3(0, 0, l, 1);
        nest_3(1, l, 2, 3);
        weft_order_forgets_(graph, OBJECT(l), 1);
    }
    ck_assert_int_eq(found_count(), 0);
    nest(2, 3, 0);
    ck_assert(is_found(2));
    ck_assert(is_found(3));
    end_play();
}
END_TEST

START_TEST(test_threads_that_live_once_leave_nothing)
{
    begin_with(2);
    for (int i = 0; i < 20000; i++) {
        start(0, 2);
        nest(2, 0, 1 + i % 2);
        join(0, 2);
        renew(2);
    }
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 6 * MIB);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_threads_that_nobody_joins_cost_little)
{
    begin_with(2);
    for (int i = 0; i < 20000; i++) {
        start(0, 2);
        nest(2, 0, 1 + i % 2);
        weft_order_ends_(T(2));
        renew(2);
    }
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 12 * MIB);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_who_ended_long_ago_can_be_joined)
{
    begin_with(2);
    for (int i = 0; i < 10000; i++) {
        start(0, 2);
        nest(2, 1, 0);
        weft_order_ends_(T(2));
        renew(2);
    }
    for (uint64_t id = actors[2].id - 9999; id < actors[2].id; id++)
        weft_order_joins_(T(0), id);
    weft_order_joins_(T(0), 3); /* the first was not renewed yet */
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_locks_taken_alone_leave_room_for_others)
{
    graph_bytes = 4 * MIB;
    begin_with(2);
    for (int i = 10; i < 100000; i++) {
        lock(0, i);
        unlock(0, i);
    }
    ck_assert(!weft_order_is_full_(graph));
    nest(0, 0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

/* All orders of so many locks at one place: looked through in no time. */
START_TEST(test_a_crowd_of_cycles_is_no_burden)
{
    begin_with(3);
    here = 5;
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 100; k++)
            if (i != k)
                nest((i + k) % 3, i, k);
    ck_assert_int_eq(found_count(), 1);
    end_play();
    begin_with(1); /* the same, and none of them is one */
    for (int a = 1; a < 4; a++) {
        start(0, a);
        for (int i = a - 1; i < 30; i += 3)
            for (int k = 0; k < 30; k++)
                if (i != k)
                    nest(a, i, k);
        join(0, a);
    }
    ck_assert_int_eq(found_count(), 0);
    end_play();
}
END_TEST

START_TEST(test_rounds_of_a_barrier_leave_nothing)
{
    begin_with(2);
    for (int i = 0; i < 20000; i++) {
        nest(0, 0, 1);
        nest(1, 2, 1);
        meet(0, 1);
    }
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 6 * MIB);
    nest(1, 1, 0); /* beside the latest, or before */
    ck_assert_int_eq(found_count(), 0);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_the_first_and_the_latest_moments_meet_another)
{
    for (int early = 0; early < 2; early++) {
        begin_with(3);
        for (int i = 0; i < 100; i++) {
            if ((early != 0) == (i == 0))
                nest(2, 1, 0); /* beside all of them but for the others */
            nest(0, 0, 1);
            meet(0, 1);
        }
        ck_assert_int_eq(found_count(), 1);
        end_play();
    }
}
END_TEST

START_TEST(test_the_first_moments_stay)
{
    begin_with(2);
    nest(1, 0, 1);
    for (int i = 0; i < 100; i++) {
        nest(0, 0, 1);
        start(0, 2);
        join(0, 2);
        renew(2);
    }
    start(0, 3);
    nest(3, 1, 0); /* behind all but the first */
    ck_assert_int_eq(found_count(), 1);
    ck_assert_uint_eq(found_at(0)->picture.threads[1].id, 2);
    end_play();
}
END_TEST

START_TEST(test_100000_locks_are_less_than_the_cap)
{
    begin_with(2);
    for (int i = 1; i <= 100000; i++)
        nest(i % 2, 0, i);
    ck_assert(!weft_order_is_full_(graph));
    ck_assert_uint_lt(weft_order_bytes_(graph), 64 * MIB);
    nest(0, 77777, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_more_than_a_thread_knows_is_not_told_again)
{
    begin_with(2);
    for (int k = 0; k < 8; k++)
        for (int i = 1; i <= 1000; i++)
            nest(0, 0, i);
    ck_assert_ptr_nonnull(T(0)->node->more);
    const size_t bytes = weft_order_bytes_(graph);
    const uint32_t repeats = T(0)->node->repeats;
    for (int i = 1; i <= 1000; i++)
        nest(0, 0, i);
    ck_assert_uint_lt(T(0)->node->repeats, repeats + 500);
    ck_assert_uint_eq(weft_order_bytes_(graph), bytes);
    nest(1, 500, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_mapping_that_fails_ends_the_notes, 1},
        {&test_a_full_graph_does_not_invent_deadlocks, 1},
        {&test_locks_that_live_once_leave_nothing, 1},
        {&test_a_sweep_keeps_what_lives, 1},
        {&test_threads_that_live_once_leave_nothing, 1},
        {&test_threads_that_nobody_joins_cost_little, 1},
        {&test_who_ended_long_ago_can_be_joined, 1},
        {&test_locks_taken_alone_leave_room_for_others, 1},
        {&test_a_crowd_of_cycles_is_no_burden, 1},
        {&test_rounds_of_a_barrier_leave_nothing, 1},
        {&test_the_first_and_the_latest_moments_meet_another, 1},
        {&test_the_first_moments_stay, 1},
        {&test_100000_locks_are_less_than_the_cap, 1},
        {&test_more_than_a_thread_knows_is_not_told_again, 1},
    };

    return run_tests("deadlock_order_memory", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
#include "deadlock/find.h"

#include <string.h>

#include "testing.h"

#define ROOM    8
#define THREADS 40

/* A picture that is drawn thread by thread. */
static struct weft_dl_thread threads[THREADS];
static struct weft_dl_held held[THREADS][4];
static uint32_t needs[THREADS][THREADS];
static struct weft_dl_picture picture = {threads, 0};
static struct weft_dl_found found[ROOM];
static const char locks[THREADS];

/* Thread `i` is there, and runs. */
static void
add(uint32_t i)
{
    for (; picture.count <= i; picture.count++) {
        threads[picture.count].id = picture.count + 1;
        threads[picture.count].held = held[picture.count];
    }
}

static void
hold(uint32_t i, int lock, enum weft_kind kind)
{
    add(i);
    held[i][threads[i].held_count++] =
        (struct weft_dl_held){.object = &locks[lock], .kind = kind};
}

static void
block(uint32_t i, int lock, enum weft_kind kind, enum weft_dl_rule rule)
{
    add(i);
    threads[i].state = WEFT_DL_BLOCKED;
    threads[i].wait.object = &locks[lock];
    threads[i].wait.kind = kind;
    threads[i].wait.rule = rule;
    threads[i].wait.needs = needs[i];
    threads[i].wait.sequence = 1;
}

static void
need(uint32_t i, uint32_t other)
{
    add(other);
    needs[i][threads[i].wait.needs_count++] = other;
}

/* Thread `i` waits for a mutex that `owner` has. */
static void
wait_for(uint32_t i, int lock, uint32_t owner)
{
    block(i, lock, WEFT_KIND_MUTEX, WEFT_DL_ALL);
    need(i, owner);
}

static size_t
find(void)
{
    return weft_dl_find_(&picture, found, ROOM);
}

static void
two_in_a_cycle(void)
{
    wait_for(0, 1, 1);
    wait_for(1, 0, 0);
}

START_TEST(test_nobody_is_stuck_where_all_run)
{
    add(3);
    ck_assert_uint_eq(find(), 0);
    picture.count = 0;
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_two_locks_in_opposite_order_are_a_cycle)
{
    two_in_a_cycle();
    add(2);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_CYCLE);
    ck_assert(found[0].certain);
    ck_assert_uint_eq(found[0].count, 2);
    ck_assert_uint_eq(found[0].first, 0);
    ck_assert_uint_eq(threads[0].next, 1);
    ck_assert_uint_eq(threads[1].next, WEFT_DL_NONE);
    ck_assert_uint_eq(found[0].behind_count, 0);
    ck_assert(!threads[2].stuck);
}
END_TEST

START_TEST(test_each_of_a_cycle_waits_for_the_next)
{
    static const uint32_t order[] = {4, 2, 0, 3, 1};

    for (uint32_t i = 0; i < 5; i++)
        wait_for(order[i], (int)i, order[(i + 1) % 5]);
    ck_assert_uint_eq(find(), 1);
    ck_assert_uint_eq(found[0].count, 5);
    for (uint32_t i = found[0].first; threads[i].next != WEFT_DL_NONE;
         i = threads[i].next)
        ck_assert_uint_eq(needs[i][0], threads[i].next);
}
END_TEST

START_TEST(test_a_deadline_breaks_a_cycle)
{
    two_in_a_cycle();
    threads[1].state = WEFT_DL_TIMED;
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_an_owner_that_runs_breaks_a_cycle)
{
    wait_for(0, 1, 1);
    wait_for(1, 2, 2);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_who_is_about_to_be_woken_is_not_stuck)
{
    two_in_a_cycle();
    threads[1].wait.needs_count = 0; /* it was unlocked for him */
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_who_waits_for_a_cycle_is_behind_it)
{
    two_in_a_cycle();
    wait_for(2, 3, 3);
    wait_for(3, 0, 0);
    ck_assert_uint_eq(find(), 1);
    ck_assert_uint_eq(found[0].count, 2);
    ck_assert_uint_eq(found[0].behind_count, 2);
    ck_assert(threads[2].stuck && threads[3].stuck);
}
END_TEST

START_TEST(test_a_thread_that_locks_again_waits_for_itself)
{
    hold(0, 0, WEFT_KIND_MUTEX);
    wait_for(0, 0, 0);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_SELF);
    ck_assert_uint_eq(found[0].count, 1);
    ck_assert_ptr_eq(weft_dl_held_of_(&picture, 0, 0), &held[0][0]);
}
END_TEST

START_TEST(test_two_readers_who_want_to_write_are_one_upgrade)
{
    for (uint32_t i = 0; i < 2; i++) {
        hold(i, 0, WEFT_KIND_READ);
        block(i, 0, WEFT_KIND_WRITE, WEFT_DL_ALL);
        need(i, 0);
        need(i, 1);
    }
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_UPGRADE);
    ck_assert_uint_eq(found[0].count, 2);
}
END_TEST

START_TEST(test_a_lock_whose_owner_has_ended_is_orphaned)
{
    hold(0, 0, WEFT_KIND_MUTEX);
    threads[0].state = WEFT_DL_ENDED;
    wait_for(1, 0, 0);
    wait_for(2, 0, 0);
    add(3);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_ORPHANED);
    ck_assert(found[0].certain);
    ck_assert_uint_eq(found[0].ended, 0);
    ck_assert_uint_eq(found[0].first, 1);
    ck_assert_uint_eq(found[0].behind_count, 1);
    ck_assert_uint_eq(found[0].behind, 2);
}
END_TEST

START_TEST(test_who_has_ended_can_be_joined)
{
    add(0);
    threads[0].state = WEFT_DL_ENDED;
    block(1, 0, WEFT_KIND_THREAD, WEFT_DL_ALL);
    need(1, 0);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_threads_that_join_each_other_are_named_so)
{
    for (uint32_t i = 0; i < 3; i++) {
        block(i, (int)i, WEFT_KIND_THREAD, WEFT_DL_ALL);
        need(i, (i + 1) % 3);
    }
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_JOINS);
    ck_assert_uint_eq(found[0].count, 3);
}
END_TEST

START_TEST(test_a_writer_needs_every_reader)
{
    block(0, 0, WEFT_KIND_WRITE, WEFT_DL_ALL);
    need(0, 1);
    need(0, 2);
    add(2); /* thread 1 runs, thread 2 waits for the writer */
    wait_for(2, 1, 0);
    ck_assert_uint_eq(find(), 1);
    ck_assert_uint_eq(found[0].count, 2);
    ck_assert(found[0].certain);
    ck_assert(!threads[1].stuck);
}
END_TEST

START_TEST(test_one_who_runs_and_could_do_it_is_enough)
{
    block(0, 0, WEFT_KIND_SEMAPHORE, WEFT_DL_ONE_OF);
    need(0, 1);
    need(0, 2);
    wait_for(1, 1, 0);
    add(2);
    ck_assert_uint_eq(find(), 0);
    wait_for(2, 1, 0);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_CYCLE);
    ck_assert(!found[0].certain);
    ck_assert_ptr_nonnull(found[0].doubt);
    ck_assert_uint_eq(found[0].behind_count, 1);
}
END_TEST

START_TEST(test_a_bystander_could_help_but_is_in_no_cycle)
{
    block(0, 0, WEFT_KIND_BARRIER, WEFT_DL_ONE_OF);
    need(0, 1);
    need(0, 2);
    threads[0].wait.bystanders = 1;
    threads[1].state = WEFT_DL_ENDED;
    ck_assert_uint_eq(find(), 0);
    wait_for(2, 1, 0);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_ASLEEP);
    ck_assert_uint_eq(found[0].count, 1);
    ck_assert_uint_eq(found[0].behind_count, 1);
    threads[0].wait.bystanders = 0;
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_CYCLE);
}
END_TEST

START_TEST(test_a_guess_without_a_name_is_no_finding)
{
    block(0, 0, WEFT_KIND_SEMAPHORE, WEFT_DL_ONE_OF);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_a_lost_signal_is_found_when_all_sleep)
{
    block(0, 0, WEFT_KIND_COND, WEFT_DL_ANYBODY);
    block(1, 1, WEFT_KIND_THREAD, WEFT_DL_ALL);
    need(1, 0);
    add(2);
    ck_assert_uint_eq(find(), 0);
    threads[2].state = WEFT_DL_ENDED;
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_ASLEEP);
    ck_assert(!found[0].certain);
    ck_assert_uint_eq(found[0].count, 1);
    ck_assert_uint_eq(found[0].first, 0);
    ck_assert_uint_eq(found[0].behind_count, 1);
}
END_TEST

START_TEST(test_one_with_a_deadline_could_wake_anybody)
{
    block(0, 0, WEFT_KIND_COND, WEFT_DL_ANYBODY);
    block(1, 0, WEFT_KIND_COND, WEFT_DL_ANYBODY);
    threads[1].state = WEFT_DL_TIMED;
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_what_comes_from_outside_is_never_stuck)
{
    block(0, 0, WEFT_KIND_COND, WEFT_DL_ANYBODY);
    threads[0].wait.outside = true;
    ck_assert_uint_eq(find(), 0);
    wait_for(1, 1, 0);
    ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_who_waits_for_anybody_is_behind_a_cycle)
{
    two_in_a_cycle();
    block(2, 2, WEFT_KIND_EVENT, WEFT_DL_ANYBODY);
    ck_assert_uint_eq(find(), 1);
    ck_assert_int_eq(found[0].shape, WEFT_DL_CYCLE);
    ck_assert(found[0].certain);
    ck_assert_uint_eq(found[0].behind_count, 1);
}
END_TEST

START_TEST(test_the_shortest_cycle_comes_first)
{
    for (uint32_t i = 0; i < 4; i++) /* 0, 1, 2, 3 in a ring */
        wait_for(i, (int)i, (i + 1) % 4);
    threads[2].wait.kind = WEFT_KIND_WRITE;
    need(2, 1); /* and 1, 2 in one of their own */
    ck_assert_uint_eq(find(), 1);
    ck_assert_uint_eq(found[0].count, 2);
    ck_assert_uint_eq(found[0].behind_count, 2);
}
END_TEST

START_TEST(test_two_cycles_are_two_findings)
{
    two_in_a_cycle();
    wait_for(2, 3, 3);
    wait_for(3, 2, 2);
    ck_assert_uint_eq(find(), 2);
    ck_assert_uint_eq(found[0].count + found[1].count, 4);
    ck_assert_uint_eq(weft_dl_find_(&picture, found, 1), 1);
}
END_TEST

START_TEST(test_the_youngest_is_one_that_can_fail)
{
    two_in_a_cycle();
    threads[0].since = 5;
    threads[1].since = 9;
    find();
    ck_assert_uint_eq(found[0].youngest, 1);
    threads[0].can_fail = true;
    find();
    ck_assert_uint_eq(found[0].youngest, 0);
    threads[1].can_fail = true;
    find();
    ck_assert_uint_eq(found[0].youngest, 1);
}
END_TEST

START_TEST(test_the_same_is_the_same_threads_in_the_same_waits)
{
    static struct weft_dl_thread others[THREADS];
    struct weft_dl_picture second = {others, 2};
    struct weft_dl_found again;

    two_in_a_cycle();
    ck_assert_uint_eq(find(), 1);
    others[0] = threads[1]; /* in another order */
    others[1] = threads[0];
    others[0].wait.needs = needs[0];
    others[1].wait.needs = needs[1];
    ck_assert_uint_eq(weft_dl_find_(&second, &again, 1), 1);
    ck_assert(weft_dl_same_(&picture, &found[0], &second, &again));
    others[0].wait.sequence++;
    ck_assert_uint_eq(weft_dl_find_(&second, &again, 1), 1);
    ck_assert(!weft_dl_same_(&picture, &found[0], &second, &again));
}
END_TEST

START_TEST(test_a_guess_is_the_same_only_if_all_are)
{
    static struct weft_dl_thread others[THREADS];
    struct weft_dl_picture second = {others, 2};
    struct weft_dl_found again;

    block(0, 0, WEFT_KIND_COND, WEFT_DL_ANYBODY);
    block(1, 1, WEFT_KIND_THREAD, WEFT_DL_ALL);
    need(1, 0);
    ck_assert_uint_eq(find(), 1);
    memcpy(others, threads, sizeof(others));
    ck_assert_uint_eq(weft_dl_find_(&second, &again, 1), 1);
    ck_assert(weft_dl_same_(&picture, &found[0], &second, &again));
    others[1].wait.sequence++; /* who is behind was awake meanwhile */
    ck_assert_uint_eq(weft_dl_find_(&second, &again, 1), 1);
    ck_assert(!weft_dl_same_(&picture, &found[0], &second, &again));
}
END_TEST

/* --- against the definition ------------------------------------------------ */

static uint32_t
draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void
draw_thread(uint32_t i, uint32_t n, uint32_t *seed)
{
    static const enum weft_dl_rule rules[] = {WEFT_DL_ALL, WEFT_DL_ALL,
                                              WEFT_DL_ONE_OF, WEFT_DL_ANYBODY};
    const uint32_t what = draw(seed) % 16;

    add(i);
    if (what < 12)
        block(i, (int)i, WEFT_KIND_MUTEX, rules[draw(seed) % 4]);
    else if (what < 13)
        threads[i].state = WEFT_DL_ENDED;
    for (uint32_t k = draw(seed) % 3; what < 12 && k > 0; k--)
        need(i, draw(seed) % n);
}

/* Whether somebody outside the set `in` could wake thread `i`. */
static bool
is_helped(uint32_t i, uint32_t in)
{
    const struct weft_dl_wait *w = &threads[i].wait;
    uint32_t live = 0;

    for (uint32_t k = 0; k < picture.count; k++)
        if (threads[k].state != WEFT_DL_ENDED && (in >> k & 1) == 0)
            live |= 1u << k;
    if (w->rule == WEFT_DL_ANYBODY)
        return live != 0;
    if (w->needs_count == 0)
        return true;
    for (uint32_t k = 0; k < w->needs_count; k++) {
        const bool helps = (live >> w->needs[k] & 1) != 0;
        if (helps == (w->rule == WEFT_DL_ONE_OF))
            return helps;
    }
    return w->rule == WEFT_DL_ALL;
}

static bool
is_closed(uint32_t in)
{
    for (uint32_t i = 0; i < picture.count; i++)
        if ((in >> i & 1) != 0 &&
            (threads[i].state != WEFT_DL_BLOCKED || is_helped(i, in)))
            return false;
    return true;
}

/* The union of all closed sets: each of them, one by one. */
START_TEST(test_the_stuck_are_all_that_are_in_a_closed_set)
{
    uint32_t seed = 1;

    for (int round = 0; round < 3000; round++) {
        const uint32_t n = 1 + draw(&seed) % 6;
        uint32_t expected = 0;
        uint32_t stuck = 0;
        memset(threads, 0, sizeof(threads));
        picture.count = 0;
        for (uint32_t i = 0; i < n; i++)
            draw_thread(i, n, &seed);
        for (uint32_t in = 0; in < 1u << n; in++)
            if (is_closed(in))
                expected |= in;
        const size_t parts = find();
        for (uint32_t i = 0; i < n; i++) {
            stuck |= (uint32_t)threads[i].stuck << i;
            ck_assert(!threads[i].stuck || threads[i].part < parts);
        }
        ck_assert_uint_eq(stuck, expected);
        ck_assert((stuck != 0) == (parts > 0));
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_nobody_is_stuck_where_all_run, 1},
        {&test_two_locks_in_opposite_order_are_a_cycle, 1},
        {&test_each_of_a_cycle_waits_for_the_next, 1},
        {&test_a_deadline_breaks_a_cycle, 1},
        {&test_an_owner_that_runs_breaks_a_cycle, 1},
        {&test_who_is_about_to_be_woken_is_not_stuck, 1},
        {&test_who_waits_for_a_cycle_is_behind_it, 1},
        {&test_a_thread_that_locks_again_waits_for_itself, 1},
        {&test_two_readers_who_want_to_write_are_one_upgrade, 1},
        {&test_a_lock_whose_owner_has_ended_is_orphaned, 1},
        {&test_who_has_ended_can_be_joined, 1},
        {&test_threads_that_join_each_other_are_named_so, 1},
        {&test_a_writer_needs_every_reader, 1},
        {&test_one_who_runs_and_could_do_it_is_enough, 1},
        {&test_a_bystander_could_help_but_is_in_no_cycle, 1},
        {&test_a_guess_without_a_name_is_no_finding, 1},
        {&test_a_lost_signal_is_found_when_all_sleep, 1},
        {&test_one_with_a_deadline_could_wake_anybody, 1},
        {&test_what_comes_from_outside_is_never_stuck, 1},
        {&test_who_waits_for_anybody_is_behind_a_cycle, 1},
        {&test_the_shortest_cycle_comes_first, 1},
        {&test_two_cycles_are_two_findings, 1},
        {&test_the_youngest_is_one_that_can_fail, 1},
        {&test_the_same_is_the_same_threads_in_the_same_waits, 1},
        {&test_a_guess_is_the_same_only_if_all_are, 1},
        {&test_the_stuck_are_all_that_are_in_a_closed_set, 1},
    };

    return run_tests("deadlock_find", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

/* SPDX-License-Identifier: MIT */
#include "deadlock/watch_short.h"

#include <weft/deadlock.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/thread.h>

#include "testing.h"

#define MUTEXES 6
#define LOCKS   (MUTEXES + 2)
#define STEPS   20000
#define DEEP    (WEFT_HELD_MAX + 12)

static weft_mutex mutexes[DEEP];
static weft_rmutex recursive;
static weft_rwlock shared;

static bool
is_in_short(const struct weft_self *s)
{
    return s->short_at == weft_watch_short_;
}

/* The orders of locks are told by threads that Weft has started. */
static void
run(void *(*work)(void *argument), void *argument)
{
    weft_thread *t;

    ck_assert_int_eq(weft_thread_start(&t, work, argument, NULL), WEFT_OK);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
    weft_thread_release(t);
}

/* --- the number of what is held ------------------------------------------- */

/* Of each lock that is held the number for those before it, and of all. */
static void
check_numbers(void)
{
    const struct weft_self *s = weft_self_get_();
    uint64_t sum = 0;

    ck_assert_uint_le(s->held_count, WEFT_HELD_MAX);
    for (uint32_t i = 0; i < s->held_count; i++) {
        ck_assert_uint_eq(s->held[i].before, sum);
        sum +=
            weft_order_mix_(s->held[i].object, (enum weft_kind)s->held[i].kind);
    }
    ck_assert_uint_eq(s->held[s->held_count].before, sum);
}

static void
lock(int i)
{
    enum weft_status s = WEFT_OK;

    if (i < MUTEXES)
        s = weft_mutex_lock(&mutexes[i]);
    else if (i == MUTEXES)
        s = weft_rmutex_lock(&recursive);
    else
        s = weft_rwlock_read_lock(&shared);
    ck_assert_int_eq(s, WEFT_OK);
}

static void
unlock(int i)
{
    enum weft_status s = WEFT_OK;

    if (i < MUTEXES)
        s = weft_mutex_unlock(&mutexes[i]);
    else if (i == MUTEXES)
        s = weft_rmutex_unlock(&recursive);
    else
        s = weft_rwlock_read_unlock(&shared);
    ck_assert_int_eq(s, WEFT_OK);
}

static void *
lock_in_any_order(void *unused)
{
    const struct weft_self *s = weft_self_get_();
    bool is_held[LOCKS] = {false};
    uint32_t count = 0;
    uint32_t x = 1;

    for (int step = 0; step < STEPS; step++) {
        x = x * 1664525u + 1013904223u;
        const int i = (int)((x >> 16) % LOCKS);
        if (is_held[i])
            unlock(i);
        else
            lock(i);
        count += is_held[i] ? -1u : 1u;
        is_held[i] = !is_held[i];
        ck_assert_uint_eq(s->held_count, count);
        check_numbers();
    }
    ck_assert(is_in_short(s));
    ck_assert_ptr_nonnull(s->asked);
    return unused;
}

START_TEST(test_the_number_is_that_of_what_is_held)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    run(lock_in_any_order, NULL);
    ck_assert_uint_eq(weft_deadlock_predicted(), 0);
}
END_TEST

/* It goes wrong by what is done while nobody predicts. */
static void *
lock_with_a_wrong_number(void *unused)
{
    struct weft_self *s = weft_self_get_();

    lock(0);
    s->held[1].before++;
    lock(1);
    check_numbers();
    unlock(1);
    unlock(0);
    return unused;
}

START_TEST(test_a_wrong_number_is_counted_again)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    run(lock_with_a_wrong_number, NULL);
}
END_TEST

/* Who has more locks than there is room for has a number for all of them. */
static void *
lock_too_many(void *unused)
{
    const struct weft_self *s = weft_self_get_();
    uint64_t sums[DEEP + 1] = {0};

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < DEEP; i++) {
            ck_assert_int_eq(weft_mutex_lock(&mutexes[i]), WEFT_OK);
            sums[i + 1] =
                sums[i] + weft_order_mix_(&mutexes[i], WEFT_KIND_MUTEX);
        }
        for (int i = DEEP; i > 0; i--) {
            ck_assert_uint_eq(s->held_count, (uint32_t)i);
            ck_assert_uint_eq(
                s->held[i < WEFT_HELD_MAX ? i : WEFT_HELD_MAX].before, sums[i]);
            ck_assert_int_eq(weft_mutex_unlock(&mutexes[i - 1]), WEFT_OK);
        }
    }
    return unused;
}

START_TEST(test_more_locks_than_there_is_room_for)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    run(lock_too_many, NULL);
}
END_TEST

/* --- what is known -------------------------------------------------------- */

static size_t
place_of(const struct weft_order_thread *t, const weft_mutex *m)
{
    const uint64_t key =
        weft_order_key_of_(t, 0, weft_order_mix_(m, WEFT_KIND_MUTEX));

    return (key >> 24) % WEFT_ORDER_KNOWN / 2;
}

/* Two orders that are remembered in the same place. */
static void *
lock_two_of_a_place(void *unused)
{
    static weft_mutex many[4 * WEFT_ORDER_KNOWN];
    const weft_mutex *end = many + sizeof(many) / sizeof(many[0]);
    const struct weft_self *s = weft_self_get_();
    weft_mutex *other = many + 1;

    lock(0); /* it has its part of the graph from then on */
    unlock(0);
    while (other < end && place_of(s->order, other) != place_of(s->order, many))
        other++;
    ck_assert(other < end);
    for (int i = 0; i < 2; i++) {
        weft_mutex *m = i == 0 ? many : other;
        ck_assert_int_eq(weft_mutex_lock(m), WEFT_OK);
        ck_assert_int_eq(weft_mutex_unlock(m), WEFT_OK);
    }
    ck_assert(weft_order_knows_(s->order, many, WEFT_KIND_MUTEX));
    ck_assert(weft_order_knows_(s->order, other, WEFT_KIND_MUTEX));
    return unused;
}

START_TEST(test_two_orders_in_a_place_are_both_known)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    run(lock_two_of_a_place, NULL);
}
END_TEST

/* --- while nobody watches ------------------------------------------------- */

static void *
lock_and_leave(void *m)
{
    (void)!weft_mutex_lock(m);
    return NULL;
}

/* It was noted, and unlocked when nothing was; it is another's by now. */
START_TEST(test_what_is_still_noted_is_not_unlocked_for_another)
{
    const struct weft_self *s = weft_self_get_();
    weft_mutex *lock = _i == 0 ? &mutexes[0] : &recursive.mutex;

    weft_watch_enable_(true);
    ck_assert_int_eq(_i == 0 ? weft_mutex_lock(&mutexes[0])
                             : weft_rmutex_lock(&recursive),
                     WEFT_OK);
    weft_watch_enable_(false);
    ck_assert_int_eq(_i == 0 ? weft_mutex_unlock(&mutexes[0])
                             : weft_rmutex_unlock(&recursive),
                     WEFT_OK);
    ck_assert_uint_eq(s->held_count, 1);
    run(lock_and_leave, lock);
    weft_watch_enable_(true);
    ck_assert_int_eq(weft_mutex_lock(&mutexes[1]), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&mutexes[1]), WEFT_OK);
    ck_assert(is_in_short(s));
    ck_assert_int_eq(_i == 0 ? weft_mutex_unlock(&mutexes[0])
                             : weft_rmutex_unlock(&recursive),
                     WEFT_NOT_OWNER);
    ck_assert(weft_mutex_is_locked(lock));
    weft_watch_enable_(false);
}
END_TEST

START_TEST(test_nothing_is_noted_while_nobody_watches)
{
    const struct weft_self *s = weft_self_get_();

    weft_watch_enable_(true);
    ck_assert_int_eq(weft_mutex_lock(&mutexes[0]), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&mutexes[0]), WEFT_OK);
    ck_assert(is_in_short(s));
    weft_watch_enable_(false);
    ck_assert_int_eq(weft_mutex_lock_slow_(&mutexes[0]), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 0);
    ck_assert_int_eq(weft_mutex_unlock_slow_(&mutexes[0]), WEFT_OK);
    weft_watch_acquired_(&mutexes[0], WEFT_KIND_MUTEX); /* on when it began */
    ck_assert(!is_in_short(s));
}
END_TEST

/* --- who is asked --------------------------------------------------------- */

/* Both ways were short when the second lock got its rank. */
START_TEST(test_a_rank_is_asked_for_from_then_on)
{
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    for (volatile int i = 0; i < 3; i++) { /* the same places each time */
        if (i == 2)
            for (int k = 0; k < 2; k++)
                ck_assert_int_eq(weft_deadlock_rank(&mutexes[k], 2 - k),
                                 WEFT_OK);
        else
            ck_assert_uint_eq(weft_deadlock_count(), 0);
        ck_assert_int_eq(weft_mutex_lock(&mutexes[0]), WEFT_OK);
        ck_assert_int_eq(weft_mutex_lock(&mutexes[1]), WEFT_OK);
        if (i == 1)
            ck_assert(is_in_short(weft_self_get_()));
        ck_assert_int_eq(weft_mutex_unlock(&mutexes[1]), WEFT_OK);
        ck_assert_int_eq(weft_mutex_unlock(&mutexes[0]), WEFT_OK);
    }
    ck_assert_uint_eq(weft_deadlock_count(), 1);
}
END_TEST

/* A thread that somebody else has started tells orders as any, and takes the
 * short ways once it has. */
static void *
lock_as_a_stranger(void *unused)
{
    const struct weft_self *s = weft_self_get_();

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(weft_mutex_lock(&mutexes[0]), WEFT_OK);
        ck_assert_uint_eq(s->held_count, 1);
        ck_assert_int_eq(weft_mutex_unlock(&mutexes[0]), WEFT_OK);
        ck_assert_uint_eq(s->held_count, 0);
    }
    ck_assert(is_in_short(s));
    ck_assert_ptr_eq(s->asked, s->order);
    ck_assert_ptr_nonnull(s->asked);
    return unused;
}

START_TEST(test_a_strange_thread_is_as_short)
{
    pthread_t t;

    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
    ck_assert_int_eq(pthread_create(&t, NULL, lock_as_a_stranger, NULL), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_the_number_is_that_of_what_is_held, 1},
        {&test_a_wrong_number_is_counted_again, 1},
        {&test_two_orders_in_a_place_are_both_known, 1},
        {&test_more_locks_than_there_is_room_for, 1},
        {&test_what_is_still_noted_is_not_unlocked_for_another, 2},
        {&test_nothing_is_noted_while_nobody_watches, 1},
        {&test_a_rank_is_asked_for_from_then_on, 1},
        {&test_a_strange_thread_is_as_short, 1},
    };

    return run_tests("watch_short", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

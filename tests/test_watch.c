/* SPDX-License-Identifier: MIT */
#include "deadlock/watch.h"

#include <string.h>

#include <weft/mutex.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/thread.h>

#include "testing.h"
#include "waiting.h"

START_TEST(test_a_wait_is_published)
{
    struct weft_self *s = weft_self_get_();
    int object;

    ck_assert_ptr_null(s->waits_for);
    ck_assert_int_eq(weft_watch_block_(&object, WEFT_KIND_EVENT, 42), WEFT_OK);
    ck_assert_ptr_eq(s->waits_for, &object);
    ck_assert_int_eq(s->waits_kind, WEFT_KIND_EVENT);
    ck_assert_int_eq(s->waits_until, 42);
    ck_assert_uint_eq(s->waits % 2, 1);
    weft_watch_unblock_();
    ck_assert_ptr_null(s->waits_for);
    ck_assert_uint_eq(s->waits % 2, 0);
}
END_TEST

START_TEST(test_what_is_held_is_a_list)
{
    struct weft_self *s = weft_self_get_();
    static const char locks[WEFT_HELD_MAX + 5];

    for (uint32_t i = 0; i < sizeof(locks); i++)
        weft_watch_acquired_(&locks[i], WEFT_KIND_MUTEX);
    ck_assert_uint_eq(s->held_count, sizeof(locks));
    weft_watch_released_(&locks[WEFT_HELD_MAX + 1], WEFT_KIND_MUTEX);
    ck_assert_uint_eq(s->held_count, sizeof(locks) - 1);
    for (uint32_t i = WEFT_HELD_MAX; i < sizeof(locks); i++)
        weft_watch_released_(&locks[i], WEFT_KIND_MUTEX);
    ck_assert_uint_eq(s->held_count, WEFT_HELD_MAX);
    weft_watch_released_(&locks[0], WEFT_KIND_READ); /* it is not so held */
    ck_assert_uint_eq(s->held_count, WEFT_HELD_MAX);
    weft_watch_released_(&locks[1], WEFT_KIND_MUTEX);
    ck_assert_ptr_eq(s->held[0].object, &locks[0]);
    ck_assert_ptr_eq(s->held[1].object, &locks[2]);
}
END_TEST

static void
check_held(const void *object, enum weft_kind kind)
{
    const struct weft_self *s = weft_self_get_();

    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_ptr_eq(s->held[0].object, object);
    ck_assert_int_eq(s->held[0].kind, kind);
    ck_assert_uint_ne(s->held[0].place, 0);
}

/* A few times: the ways of a read-write lock change with its readers. */
START_TEST(test_every_lock_is_noted_and_taken_back)
{
    static weft_mutex mutex;
    static weft_rmutex rmutex;
    static weft_rwlock rwlock;
    const struct weft_self *s = weft_self_get_();

    weft_watch_enable_(true);
    for (int i = 0; i < 2 * WEFT_RWLOCK_READS_ + 100; i++) {
        ck_assert_int_eq(weft_mutex_lock(&mutex), WEFT_OK);
        check_held(&mutex, WEFT_KIND_MUTEX);
        ck_assert_int_eq(weft_mutex_unlock(&mutex), WEFT_OK);
        ck_assert_uint_eq(s->held_count, 0);
        for (int k = 0; k < 2; k++) /* noted once, until it is free */
            ck_assert_int_eq(weft_rmutex_lock(&rmutex), WEFT_OK);
        ck_assert_int_eq(weft_rmutex_unlock(&rmutex), WEFT_OK);
        check_held(&rmutex, WEFT_KIND_RMUTEX);
        ck_assert_int_eq(weft_rmutex_unlock(&rmutex), WEFT_OK);
        ck_assert_uint_eq(s->held_count, 0);
        ck_assert_int_eq(weft_rwlock_read_lock(&rwlock), WEFT_OK);
        check_held(&rwlock, WEFT_KIND_READ);
        ck_assert_int_eq(weft_rwlock_read_unlock(&rwlock), WEFT_OK);
        ck_assert_uint_eq(s->held_count, 0);
    }
    ck_assert_int_eq(weft_rwlock_read_unlock(&rwlock), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rmutex_unlock(&rmutex), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rwlock_write_lock(&rwlock), WEFT_OK);
    check_held(&rwlock, WEFT_KIND_WRITE);
    ck_assert_int_eq(weft_rwlock_write_unlock(&rwlock), WEFT_OK);
    ck_assert_uint_eq(s->held_count, 0);
    weft_watch_enable_(false);
}
END_TEST

/* A writer that comes while a reader is on its line is let in when it leaves;
 * one that is inside keeps the next reader out. */
static void *
write_once(void *lock)
{
    (void)!weft_rwlock_write_lock(lock);
    (void)!weft_rwlock_write_unlock(lock);
    return NULL;
}

START_TEST(test_a_writer_is_let_in_by_a_reader_that_is_noted)
{
    static weft_rwlock rwlock;
    weft_thread *t;

    weft_watch_enable_(true);
    for (int i = 0; i < 2 * WEFT_RWLOCK_READS_ + 100; i++) {
        ck_assert_int_eq(weft_rwlock_read_lock(&rwlock), WEFT_OK);
        ck_assert_int_eq(weft_rwlock_read_unlock(&rwlock), WEFT_OK);
    }
    ck_assert_uint_eq(rwlock.biased, WEFT_RWLOCK_FREE_);
    ck_assert_int_eq(weft_rwlock_read_lock(&rwlock), WEFT_OK);
    ck_assert_int_eq(weft_thread_start(&t, write_once, &rwlock, NULL), WEFT_OK);
    until_waiting(&rwlock, 1);
    ck_assert_int_eq(weft_rwlock_read_unlock(&rwlock), WEFT_OK);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
    weft_thread_release(t);
    weft_watch_enable_(false);
}
END_TEST

START_TEST(test_every_kind_has_a_name)
{
    for (int i = 0; i < WEFT_KIND_COUNT; i++)
        ck_assert_str_ne(weft_kind_name_((enum weft_kind)i), "unknown");
    ck_assert_str_eq(weft_kind_name_(WEFT_KIND_COUNT), "unknown");
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_wait_is_published, 1},
        {&test_what_is_held_is_a_list, 1},
        {&test_every_lock_is_noted_and_taken_back, 1},
        {&test_a_writer_is_let_in_by_a_reader_that_is_noted, 1},
        {&test_every_kind_has_a_name, 1},
    };

    return run_tests("watch", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

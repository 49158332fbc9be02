/* SPDX-License-Identifier: MIT */
/*
 * The rules of weft_rwlock; what many threads do at random is in
 * test_rwlock_threads.c.  _i is what `biased` says when it begins.
 */
#include <weft/rwlock.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/fence.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "waiting.h"

#define WAYS 3
#define MANY (WEFT_READ_SLOTS_ + 4)

static weft_rwlock lock;

#define ok(call) ck_assert_int_eq((call), WEFT_OK)

/* As many reads as it takes; false if the system cannot. */
static bool
let_readers_have_lines(weft_rwlock *l, uint32_t how)
{
    for (int i = 0; i < 3 * WEFT_RWLOCK_READS_ && l->biased != how; i++) {
        ok(weft_rwlock_read_lock(l));
        ok(weft_rwlock_read_unlock(l));
    }
    ck_assert_uint_eq(l->biased, weft_fence_is_there_() ? how : 0);
    return l->biased == how;
}

static void
set_up(int how)
{
    if (how > 0)
        let_readers_have_lines(&lock, (uint32_t)how);
}

/* A call in a thread of its own, which then waits until it may end. */
enum what { READ, WRITE };

struct other {
    pthread_t thread;
    enum what what;
    weft_deadline deadline;
    enum weft_status status;
    _Atomic bool in;
    _Atomic bool out;
    _Atomic bool keeps; /* ends without unlocking */
};

static void *
hold(void *arg)
{
    struct other *o = arg;

    o->status = o->what == READ
                    ? weft_rwlock_read_lock_until(&lock, o->deadline)
                    : weft_rwlock_write_lock_until(&lock, o->deadline);
    if (o->status != WEFT_OK)
        return NULL;
    atomic_store_explicit(&o->in, true, memory_order_release);
    while (!atomic_load_explicit(&o->out, memory_order_acquire))
        sched_yield();
    if (atomic_load_explicit(&o->keeps, memory_order_relaxed))
        return NULL;
    if (o->what == READ)
        ok(weft_rwlock_read_unlock(&lock));
    else
        ok(weft_rwlock_write_unlock(&lock));
    return NULL;
}

static void
start(struct other *o, enum what what, weft_deadline deadline)
{
    *o = (struct other){.what = what, .deadline = deadline};
    ck_assert_int_eq(pthread_create(&o->thread, NULL, hold, o), 0);
}

static void
until_in(struct other *o)
{
    while (!atomic_load_explicit(&o->in, memory_order_acquire))
        sched_yield();
}

static enum weft_status
end(struct other *o)
{
    atomic_store_explicit(&o->out, true, memory_order_release);
    ck_assert_int_eq(pthread_join(o->thread, NULL), 0);
    return o->status;
}

static enum weft_status
try_read(weft_rwlock *l)
{
    return weft_rwlock_read_lock_until(l, WEFT_NOW);
}

static enum weft_status
try_write(weft_rwlock *l)
{
    return weft_rwlock_write_lock_until(l, WEFT_NOW);
}

static void
expect_free(weft_rwlock *l)
{
    ok(try_write(l));
    ok(weft_rwlock_write_unlock(l));
    ck_assert_int_eq(weft_rwlock_write_unlock(l), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rwlock_read_unlock(l), WEFT_NOT_OWNER);
}

START_TEST(test_zero_bytes_are_a_free_lock)
{
    weft_rwlock l;
    weft_rwlock m = WEFT_RWLOCK_INIT;

    ck_assert_uint_le(sizeof(l), WEFT_PLAIN_BYTES);
    memset((void *)&l, 0, sizeof(l));
    expect_free(&l);
    expect_free(&m);
    memset((void *)&l, 0xff, sizeof(l));
    weft_rwlock_init(&l);
    expect_free(&l);
}
END_TEST

START_TEST(test_after_many_reads_the_readers_have_lines_until_a_write)
{
    if (!let_readers_have_lines(&lock, (uint32_t)_i + 1))
        return;
    ok(weft_rwlock_read_lock(&lock));
    ck_assert_uint_eq(lock.word, 0);
    ok(weft_rwlock_read_unlock(&lock));
    ok(weft_rwlock_write_lock(&lock));
    ok(weft_rwlock_write_unlock(&lock));
    ck_assert(!lock.biased);
    ok(weft_rwlock_read_lock(&lock));
    ck_assert_uint_ne(lock.word, 0);
    ok(weft_rwlock_read_unlock(&lock));
    expect_free(&lock);
}
END_TEST

START_TEST(test_readers_share_it_and_exclude_a_writer)
{
    struct other a;
    struct other b;

    set_up(_i);
    start(&a, READ, WEFT_FOREVER);
    start(&b, READ, WEFT_FOREVER);
    until_in(&a);
    until_in(&b);
    ok(weft_rwlock_read_lock(&lock));
    ok(weft_rwlock_read_unlock(&lock));
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    const weft_deadline d = weft_in_ms(10);
    ck_assert_int_eq(weft_rwlock_write_lock_until(&lock, d), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), d);
    ok(try_read(&lock)); /* the writer that gave up is in nobody's way */
    ok(weft_rwlock_read_unlock(&lock));
    ok(end(&a));
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    ok(end(&b));
    expect_free(&lock);
}
END_TEST

START_TEST(test_a_writer_excludes_all)
{
    struct other w;
    struct other r;
    struct other x;

    set_up(_i);
    start(&w, WRITE, WEFT_FOREVER);
    until_in(&w);
    ck_assert_int_eq(try_read(&lock), WEFT_TIMEOUT);
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    const weft_deadline d = weft_in_ms(10);
    ck_assert_int_eq(weft_rwlock_read_lock_until(&lock, d), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), d);
    start(&r, READ, WEFT_FOREVER);
    start(&x, WRITE, weft_in_s(3600));
    until_waiting(&lock, 2);
    ok(end(&w));
    atomic_store_explicit(&x.out, true, memory_order_relaxed);
    until_in(&r);
    ok(end(&r));
    ok(end(&x));
    expect_free(&lock);
}
END_TEST

START_TEST(test_a_writer_waits_until_the_last_reader_has_left)
{
    struct other r[3];
    struct other w;

    set_up(_i);
    for (size_t i = 0; i < 3; i++) {
        start(&r[i], READ, WEFT_FOREVER);
        until_in(&r[i]);
    }
    start(&w, WRITE, WEFT_FOREVER);
    until_waiting(&lock, 1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(!atomic_load_explicit(&w.in, memory_order_relaxed));
        ok(end(&r[i]));
    }
    ok(end(&w));
    expect_free(&lock);
}
END_TEST

START_TEST(test_reading_again_does_not_wait_for_a_writer)
{
    struct other w;

    set_up(_i);
    ok(weft_rwlock_read_lock(&lock));
    start(&w, WRITE, WEFT_FOREVER);
    until_waiting(&lock, 1);
    const weft_deadline d = weft_in_ms(5);
    while (weft_clock_ns_() < d) /* for the writer has starved meanwhile */
        sched_yield();
    for (int i = 0; i < 3; i++)
        ok(weft_rwlock_read_lock_until(&lock,
                                       i == 0 ? WEFT_NOW : WEFT_FOREVER));
    for (int i = 0; i < 4; i++) {
        ck_assert(!atomic_load_explicit(&w.in, memory_order_relaxed));
        ok(weft_rwlock_read_unlock(&lock));
    }
    ok(end(&w));
    expect_free(&lock);
}
END_TEST

START_TEST(test_what_one_holds_is_a_deadlock)
{
    set_up(_i);
    ok(weft_rwlock_write_lock(&lock));
    ck_assert_int_eq(weft_rwlock_write_lock(&lock), WEFT_DEADLOCK);
    ck_assert_int_eq(weft_rwlock_read_lock(&lock), WEFT_DEADLOCK);
    ck_assert_int_eq(weft_rwlock_write_lock_until(&lock, weft_in_s(60)),
                     WEFT_DEADLOCK);
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    ck_assert_int_eq(try_read(&lock), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_rwlock_read_lock_until(&lock, 1), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_NOT_OWNER);
    ok(weft_rwlock_write_unlock(&lock));

    set_up(_i);
    ok(weft_rwlock_read_lock(&lock));
    ck_assert_int_eq(weft_rwlock_write_lock(&lock), WEFT_DEADLOCK);
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_NOT_OWNER);
    ok(weft_rwlock_read_unlock(&lock));
    expect_free(&lock);
}
END_TEST

START_TEST(test_only_who_holds_it_may_unlock)
{
    struct other o;

    set_up(_i);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_NOT_OWNER);
    start(&o, READ, WEFT_FOREVER);
    until_in(&o);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_NOT_OWNER);
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    ok(end(&o));
    start(&o, WRITE, WEFT_FOREVER);
    until_in(&o);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_NOT_OWNER);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_NOT_OWNER);
    ck_assert_int_eq(try_read(&lock), WEFT_TIMEOUT);
    ok(end(&o));
    expect_free(&lock);
}
END_TEST

/* Neighbours and strangers, more than are remembered, in both orders. */
START_TEST(test_a_thread_may_read_many_locks)
{
    static weft_rwlock locks[MANY];

    for (size_t i = 0; i < MANY && _i > 0; i++)
        let_readers_have_lines(&locks[i], (uint32_t)_i);
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < MANY; i++) {
            ok(weft_rwlock_read_lock(&locks[i]));
            ok(weft_rwlock_read_lock(&locks[i]));
        }
        for (size_t i = 0; i < MANY; i++)
            ck_assert_int_eq(try_write(&locks[i]), WEFT_TIMEOUT);
        for (size_t i = 0; i < MANY; i++) {
            weft_rwlock *l = &locks[turn == 0 ? i : MANY - 1 - i];
            ok(weft_rwlock_read_unlock(l));
            ck_assert_int_eq(try_write(l), WEFT_TIMEOUT);
            ok(weft_rwlock_read_unlock(l));
        }
        for (size_t i = 0; i < MANY; i++)
            expect_free(&locks[i]);
    }
}
END_TEST

/* Without assertions of Check, in which it could be cancelled. */
static void *
cancel_me(void *arg)
{
    struct other *o = arg;

    if (o->what == READ) {
        o->status = weft_rwlock_read_lock(&lock);
        (void)weft_rwlock_read_unlock(&lock);
    } else {
        o->status = weft_rwlock_write_lock(&lock);
        (void)weft_rwlock_write_unlock(&lock);
    }
    pthread_testcancel();
    return NULL;
}

START_TEST(test_waiting_is_no_cancellation_point)
{
    struct other o = {
        .what = _i == 0 ? READ : WRITE, .deadline = WEFT_FOREVER, .out = true};
    void *how;

    ok(weft_rwlock_write_lock(&lock));
    ck_assert_int_eq(pthread_create(&o.thread, NULL, cancel_me, &o), 0);
    until_waiting(&lock, 1);
    pthread_cancel(o.thread);
    ok(weft_rwlock_write_unlock(&lock));
    ck_assert_int_eq(pthread_join(o.thread, &how), 0);
    ck_assert_ptr_eq(how, PTHREAD_CANCELED);
    ok(o.status);
    expect_free(&lock);
}
END_TEST

START_TEST(test_a_thread_that_ends_leaves_it_locked)
{
    struct other o;

    set_up(_i % 3);
    start(&o, _i < 3 ? READ : WRITE, WEFT_FOREVER);
    atomic_store_explicit(&o.keeps, true, memory_order_relaxed);
    ok(end(&o));
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    ck_assert_int_eq(weft_rwlock_write_lock_until(&lock, weft_in_ms(5)),
                     WEFT_TIMEOUT);
    ck_assert_int_eq(try_read(&lock), _i < 3 ? WEFT_OK : WEFT_TIMEOUT);
}
END_TEST

/* The destructor of a key runs after the thread's function. */
static pthread_key_t late;

static void
unlock_late(void *unused)
{
    (void)unused;
    ok(weft_rwlock_read_unlock(&lock));
    ok(weft_rwlock_read_lock(&lock));
    ok(weft_rwlock_read_unlock(&lock));
}

static void *
end_locked(void *key)
{
    ok(weft_rwlock_read_lock(&lock));
    ck_assert_int_eq(pthread_setspecific(late, key), 0);
    return NULL;
}

START_TEST(test_destructors_of_a_thread_may_unlock)
{
    pthread_t t;

    set_up(_i);
    ck_assert_int_eq(pthread_key_create(&late, unlock_late), 0);
    ck_assert_int_eq(pthread_create(&t, NULL, end_locked, &late), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    expect_free(&lock);
}
END_TEST

START_TEST(test_a_forked_child_can_use_it)
{
    struct other r;
    int status;

    set_up(_i);
    start(&r, READ, WEFT_FOREVER);
    until_in(&r);
    ok(weft_rwlock_read_lock(&lock));
    const pid_t child = fork();
    if (child == 0) { /* what the other thread had on its lines is gone */
        bool good = weft_rwlock_read_unlock(&lock) == WEFT_OK &&
                    try_read(&lock) == WEFT_OK &&
                    weft_rwlock_read_unlock(&lock) == WEFT_OK;
        if (_i > 0)
            good = good && weft_rwlock_write_lock(&lock) == WEFT_OK &&
                   weft_rwlock_write_unlock(&lock) == WEFT_OK;
        _exit(good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ok(weft_rwlock_read_unlock(&lock));
    ck_assert_int_eq(try_write(&lock), WEFT_TIMEOUT);
    ok(end(&r));
    expect_free(&lock);
}
END_TEST

START_TEST(test_watched_it_is_held_by_readers_and_writers)
{
    struct weft_self *s = weft_self_get_();

    set_up(_i);
    weft_watch_enable_(true);
    ok(weft_rwlock_read_lock(&lock));
    ok(weft_rwlock_read_lock(&lock));
    ck_assert_uint_eq(s->held_count, 2);
    ck_assert_ptr_eq(s->held[0].object, &lock);
    ck_assert_int_eq(s->held[0].kind, WEFT_KIND_READ);
    ok(weft_rwlock_read_unlock(&lock));
    ok(weft_rwlock_read_unlock(&lock));
    ck_assert_uint_eq(s->held_count, 0);
    ok(weft_rwlock_write_lock(&lock));
    ck_assert_uint_eq(s->held_count, 1);
    ck_assert_int_eq(s->held[0].kind, WEFT_KIND_WRITE);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_NOT_OWNER);
    ck_assert_uint_eq(s->held_count, 1);
    ok(weft_rwlock_write_unlock(&lock));
    ck_assert_uint_eq(s->held_count, 0);
    ok(weft_rwlock_read_lock(&lock));
    weft_watch_enable_(false);
    ok(weft_rwlock_read_unlock(&lock));
    expect_free(&lock);
}
END_TEST

START_TEST(test_the_library_has_what_the_header_inlines)
{
    enum weft_status (*volatile read_it)(weft_rwlock *) = weft_rwlock_read_lock;
    enum weft_status (*volatile leave_it)(weft_rwlock *) =
        weft_rwlock_read_unlock;

    set_up(_i);
    ok(read_it(&lock));
    ok(weft_rwlock_read_lock(&lock));
    ok(leave_it(&lock));
    ok(weft_rwlock_read_unlock(&lock));
    ck_assert_int_eq(leave_it(&lock), WEFT_NOT_OWNER);
    expect_free(&lock);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_zero_bytes_are_a_free_lock, 1},
        {&test_after_many_reads_the_readers_have_lines_until_a_write, 2},
        {&test_readers_share_it_and_exclude_a_writer, WAYS},
        {&test_a_writer_excludes_all, WAYS},
        {&test_a_writer_waits_until_the_last_reader_has_left, WAYS},
        {&test_reading_again_does_not_wait_for_a_writer, WAYS},
        {&test_what_one_holds_is_a_deadlock, WAYS},
        {&test_only_who_holds_it_may_unlock, WAYS},
        {&test_a_thread_may_read_many_locks, WAYS},
        {&test_waiting_is_no_cancellation_point, 2},
        {&test_a_thread_that_ends_leaves_it_locked, 4},
        {&test_destructors_of_a_thread_may_unlock, WAYS},
        {&test_a_forked_child_can_use_it, WAYS},
        {&test_watched_it_is_held_by_readers_and_writers, WAYS},
        {&test_the_library_has_what_the_header_inlines, WAYS},
    };

    return run_tests("rwlock", tests, sizeof(tests) / sizeof(tests[0]), 20);
}

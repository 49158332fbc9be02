/* SPDX-License-Identifier: MIT */
/*
 * Who pays for the fence of both sides (base/fence.h) asks for it after it has
 * written and before it looks.  What the other side wrote and has not shown so
 * far is written here at the fence: the look must find it.
 */
#include <linux/membarrier.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/park.h"
#include "blocking.h"
#include "queue/queue_store.h"
#include "sleepers.h"
#include "sync/rwlock_slots.h"
#include "testing.h"

static unsigned fences;
static void (*at_fence)(void);

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* It reads more arguments than some calls have. */
WEFT_LEFT_WHEN_CANCELLED_ long
__wrap_syscall(long number, ...)
{
    va_list rest;
    long a[6];

    va_start(rest, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_membarrier &&
        (int)a[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED && at_fence != NULL) {
        fences++;
        at_fence();
    }
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* --- bell ---------------------------------------------------------------- */

static struct weft_bell bell;
static uint64_t alert_at_fence;

static void
note_alert(void)
{
    alert_at_fence = atomic_load_explicit(&bell.alert, memory_order_relaxed);
}

START_TEST(test_a_sleeper_says_so_and_then_fences)
{
    weft_bell_init_(&bell);
    at_fence = note_alert;
    weft_bell_enlist_(&bell);
    ck_assert_uint_eq(fences, weft_fence_is_there_() ? 1 : 0);
    ck_assert(!weft_fence_is_there_() || alert_at_fence == 1);
    ck_assert(!weft_bell_leave_(&bell));
}
END_TEST

START_TEST(test_who_drops_says_so_and_then_fences)
{
    weft_bell_init_(&bell);
    at_fence = note_alert;
    weft_bell_drop_(&bell);
    ck_assert_uint_eq(fences, weft_fence_is_there_() ? 1 : 0);
    ck_assert(!weft_fence_is_there_() || alert_at_fence == WEFT_BELL_DROPPED_);
}
END_TEST

/* --- queue --------------------------------------------------------------- */

static struct weft_queue_fast *queue;

/* A put that saw no sleeper, and so does not ring. */
static void
push_silently(void)
{
    must(weft_store_push_(queue, queue->store, item(7)) == WEFT_OK);
    at_fence = NULL;
}

static void
pop_silently(void)
{
    void *got;

    must(weft_store_pop_(queue, queue->store, &got) == WEFT_OK);
    at_fence = NULL;
}

/* _i: the numbers of FORMS. */
START_TEST(test_who_is_about_to_sleep_looks_after_the_fence)
{
    void *got;

    if (impl_of(_i) == WEFT_MUTEX || !weft_fence_is_there_())
        return;
    queue = weft_queue_fast_(open_queue(_i, 1));
    at_fence = push_silently;
    ck_assert_int_eq(weft_queue_get(&queue->base, &got, WEFT_FOREVER), WEFT_OK);
    ck_assert_ptr_eq(got, item(7));
    ck_assert_uint_eq(fences, 1);
    if (is_bounded(_i)) {
        ck_assert_int_eq(weft_queue_put(&queue->base, item(1), WEFT_NOW),
                         WEFT_OK);
        at_fence = pop_silently;
        ck_assert_int_eq(weft_queue_put(&queue->base, item(2), WEFT_FOREVER),
                         WEFT_OK);
        ck_assert_uint_eq(fences, 2);
        ck_assert_uint_eq(get_number(&queue->base), 2);
    }
    weft_queue_destroy(&queue->base);
}
END_TEST

/* --- rwlock -------------------------------------------------------------- */

static weft_rwlock lock;

/* A reader that saw that it may has entered its line. */
static void
enter_line(void)
{
    must(lock.biased == 0);
    atomic_store_explicit(
        &weft_readers_mine_()->slots.lock[WEFT_READ_SLOT_(&lock)],
        (uintptr_t)&lock, memory_order_relaxed);
    at_fence = NULL;
}

START_TEST(test_a_writer_looks_for_readers_after_the_fence)
{
    if (!weft_fence_is_there_())
        return;
    for (int i = 0;
         i < 3 * WEFT_RWLOCK_READS_ && lock.biased != WEFT_RWLOCK_FREE_; i++) {
        must(weft_rwlock_read_lock(&lock) == WEFT_OK);
        must(weft_rwlock_read_unlock(&lock) == WEFT_OK);
    }
    ck_assert_uint_eq(lock.biased, WEFT_RWLOCK_FREE_);
    at_fence = enter_line;
    ck_assert_int_eq(weft_rwlock_write_lock_until(&lock, WEFT_NOW),
                     WEFT_TIMEOUT);
    ck_assert_uint_eq(fences, 1);
    ck_assert_int_eq(weft_rwlock_read_unlock(&lock), WEFT_OK);
    ck_assert_int_eq(weft_rwlock_write_lock_until(&lock, WEFT_NOW), WEFT_OK);
    ck_assert_int_eq(weft_rwlock_write_unlock(&lock), WEFT_OK);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_sleeper_says_so_and_then_fences, 1},
        {&test_who_drops_says_so_and_then_fences, 1},
        {&test_who_is_about_to_sleep_looks_after_the_fence, FORMS},
        {&test_a_writer_looks_for_readers_after_the_fence, 1},
    };

    return run_tests("fences", tests, sizeof(tests) / sizeof(tests[0]), 10);
}

/* SPDX-License-Identifier: MIT */
#include <weft/cond.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/park.h"
#include "base/self.h"
#include "deadlock/watch.h"
#include "sleepers.h"
#include "testing.h"

#define THREADS 6

/* What the long tests are run over. */
enum variant { FREE_RUNNING, ONE_CPU, WATCHED, VARIANTS };

static weft_mutex m;
static weft_cond c;

static void
set_up(int variant)
{
    have_one_cpu(variant == ONE_CPU);
    weft_watch_enable_(variant == WATCHED);
    weft_mutex_init(&m);
    weft_cond_init(&c, &m);
}

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- cancelling ---------------------------------------------------------- */

static bool was_mine;  /* when the handler ran */
static unsigned waits; /* the rest belongs to who holds the lock */
static unsigned told;
static bool was_told[3]; /* which; a thread that is cancelled when it is ending
                            says so too, so its result tells nothing */

static void
unlock_at_cleanup(void *arg)
{
    was_mine = weft_mutex_owner(&m) == weft_self_id_();
    must(weft_mutex_unlock(arg) == WEFT_OK);
}

WEFT_LEFT_WHEN_CANCELLED_ static void *
wait_once(void *arg)
{
    must(weft_mutex_lock(&m) == WEFT_OK);
    pthread_cleanup_push(unlock_at_cleanup, &m);
    waits++;
    must(weft_cond_wait(&c, WEFT_FOREVER) == WEFT_OK);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL); /* it was told */
    told++;
    *(bool *)arg = true;
    pthread_cleanup_pop(1);
    return arg;
}

/* Start `n` that wait in this order, and return holding the lock. */
static void
start(pthread_t *thread, unsigned n)
{
    waits = 0;
    told = 0;
    must(weft_mutex_lock(&m) == WEFT_OK);
    for (unsigned i = 0; i < n; i++) {
        was_told[i] = false;
        ck_assert_int_eq(
            pthread_create(&thread[i], NULL, wait_once, &was_told[i]), 0);
        while (waits <= i) {
            must(weft_mutex_unlock(&m) == WEFT_OK);
            sched_yield();
            must(weft_mutex_lock(&m) == WEFT_OK);
        }
    }
}

static bool
was_cancelled(const pthread_t *thread, int i)
{
    ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    return !was_told[i];
}

START_TEST(test_a_cancelled_thread_holds_the_lock_in_its_handlers)
{
    pthread_t thread[2];

    set_up(0);
    start(thread, 2);
    ck_assert_int_eq(pthread_cancel(thread[0]), 0);
    await_sleepers(&m.word, 1); /* it wants the lock */
    must(weft_mutex_unlock(&m) == WEFT_OK);
    ck_assert(was_cancelled(thread, 0));
    ck_assert(was_mine);

    must(weft_mutex_lock(&m) == WEFT_OK);
    must(weft_cond_notify(&c, 1) == WEFT_OK);
    must(weft_mutex_unlock(&m) == WEFT_OK);
    ck_assert(!was_cancelled(thread, 1));
    ck_assert_uint_eq(told, 1);
    ck_assert_ptr_null(c.first);
}
END_TEST

/* Two of three are told; variant 0: the first of them is cancelled, which is
 * to be woken; 1: the second, which is not yet. */
START_TEST(test_a_cancelled_thread_passes_on_what_it_was_told)
{
    pthread_t thread[3];

    set_up(0);
    start(thread, 3);
    must(weft_cond_notify(&c, 2) == WEFT_OK);
    ck_assert_int_eq(pthread_cancel(thread[_i]), 0);
    await_sleepers(&m.word, 1);
    must(weft_mutex_unlock(&m) == WEFT_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(was_cancelled(thread, i), i == _i);
    ck_assert_uint_eq(told, 2);
    ck_assert_ptr_null(c.first);
    ck_assert(!c.coming);
}
END_TEST

#define VICTIMS 400

/* Two wait, one is told, one is cancelled, whatever comes first. */
START_TEST(test_no_notify_is_lost_to_a_cancelled_thread)
{
    pthread_t thread[2];

    set_up(_i);
    for (int i = 0; i < VICTIMS; i++) {
        start(thread, 2);
        must(weft_cond_notify(&c, 1) == WEFT_OK);
        must(weft_mutex_unlock(&m) == WEFT_OK);
        for (int k = 0; k < i % 5; k++)
            sched_yield();
        ck_assert_int_eq(pthread_cancel(thread[0]), 0);
        const bool gone = was_cancelled(thread, 0);
        if (!gone) {
            must(weft_mutex_lock(&m) == WEFT_OK);
            must(weft_cond_notify(&c, 1) == WEFT_OK);
            must(weft_mutex_unlock(&m) == WEFT_OK);
        }
        ck_assert(!was_cancelled(thread, 1));
        ck_assert_uint_eq(told, gone ? 1 : 2);
        ck_assert_ptr_null(c.first);
        ck_assert(!c.coming);
    }
}
END_TEST

/* --- a bounded buffer ---------------------------------------------------- */

#define ROOM  4
#define ITEMS 6000 /* of each producer */

static weft_cond has_items;
static weft_cond has_room;
static unsigned count;
static unsigned got;
static bool over;

/* Wait for a while or for ever; told or not, look again. */
static void
wait_somehow(weft_cond *on, uint64_t *random)
{
    const uint64_t r = next_random(random);
    const bool forever = r % 3 != 0;
    const enum weft_status s = weft_cond_wait(
        on, forever ? WEFT_FOREVER : weft_in_ns((int64_t)(r >> 50)));

    must(s == WEFT_OK || (s == WEFT_TIMEOUT && !forever));
}

static void *
produce(void *seed)
{
    for (uint64_t i = 1; i <= ITEMS; i++) {
        must(weft_mutex_lock(&m) == WEFT_OK);
        while (count == ROOM)
            wait_somehow(&has_room, seed);
        count++;
        must(weft_cond_notify(&has_items, 1) == WEFT_OK);
        must(weft_mutex_unlock(&m) == WEFT_OK);
    }
    return NULL;
}

static void *
consume(void *seed)
{
    must(weft_mutex_lock(&m) == WEFT_OK);
    for (;;) {
        while (count == 0 && !over)
            wait_somehow(&has_items, seed);
        if (count == 0)
            break;
        must(count <= ROOM);
        count--;
        got++;
        must(weft_cond_notify(&has_room, 1) == WEFT_OK);
    }
    must(weft_mutex_unlock(&m) == WEFT_OK);
    return NULL;
}

START_TEST(test_no_wakeup_is_lost_in_a_bounded_buffer)
{
    pthread_t thread[THREADS];
    uint64_t seed[THREADS];

    set_up(_i);
    weft_cond_init(&has_items, &m);
    weft_cond_init(&has_room, &m);
    for (unsigned i = 0; i < THREADS; i++) {
        seed[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        ck_assert_int_eq(pthread_create(&thread[i], NULL,
                                        i % 2 == 0 ? produce : consume,
                                        &seed[i]),
                         0);
    }
    for (unsigned i = 0; i < THREADS; i += 2)
        pthread_join(thread[i], NULL);
    must(weft_mutex_lock(&m) == WEFT_OK);
    over = true;
    must(weft_cond_notify_all(&has_items) == WEFT_OK);
    must(weft_mutex_unlock(&m) == WEFT_OK);
    for (unsigned i = 1; i < THREADS; i += 2)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(got, THREADS / 2 * ITEMS);
    ck_assert_ptr_null(has_items.first);
    ck_assert_ptr_null(has_room.first);
    ck_assert(!has_items.coming);
    ck_assert(!has_room.coming);
}
END_TEST

/* --- rounds -------------------------------------------------------------- */

#define ROUNDS 1500

static unsigned arrived;
static unsigned round_now;

/* All meet in every round, woken by notify_all; nobody has a deadline. */
static void *
meet(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        must(weft_mutex_lock(&m) == WEFT_OK);
        must(round_now == i);
        if (++arrived == THREADS) {
            arrived = 0;
            round_now++;
            must(weft_cond_notify_all(&c) == WEFT_OK);
        }
        while (round_now == i)
            must(weft_cond_wait(&c, WEFT_FOREVER) == WEFT_OK);
        must(weft_mutex_unlock(&m) == WEFT_OK);
    }
    return arg;
}

START_TEST(test_notify_all_leaves_nobody_behind)
{
    pthread_t thread[THREADS];

    set_up(_i);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, meet, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(round_now, ROUNDS);
}
END_TEST

/* --- freeing ------------------------------------------------------------- */

struct reply {
    weft_mutex lock;
    weft_cond done;
    bool is_done;
};

static _Atomic(struct reply *) request;

static void *
answer(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct reply *r;
        while ((r = atomic_exchange_explicit(&request, NULL,
                                             memory_order_acquire)) == NULL)
            sched_yield();
        must(weft_mutex_lock(&r->lock) == WEFT_OK);
        r->is_done = true;
        must(weft_cond_notify_all(&r->done) == WEFT_OK);
        must(weft_mutex_unlock(&r->lock) == WEFT_OK);
    }
    return arg;
}

/* The waiting thread has a short deadline too, so that it may come back by
 * itself just when it is told. */
START_TEST(test_who_was_told_may_free_it)
{
    pthread_t other;

    set_up(_i);
    pthread_create(&other, NULL, answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct reply *r = calloc(1, sizeof(*r));
        ck_assert_ptr_nonnull(r);
        weft_cond_init(&r->done, &r->lock);
        must(weft_mutex_lock(&r->lock) == WEFT_OK);
        atomic_store_explicit(&request, r, memory_order_release);
        while (!r->is_done)
            weft_cond_wait(&r->done,
                           i % 2 == 0 ? WEFT_FOREVER : weft_in_us(i % 64));
        must(weft_mutex_unlock(&r->lock) == WEFT_OK);
        free(r);
    }
    pthread_join(other, NULL);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_cancelled_thread_holds_the_lock_in_its_handlers, 1},
        {&test_a_cancelled_thread_passes_on_what_it_was_told, 2},
        {&test_no_notify_is_lost_to_a_cancelled_thread, VARIANTS},
        {&test_no_wakeup_is_lost_in_a_bounded_buffer, VARIANTS},
        {&test_notify_all_leaves_nobody_behind, VARIANTS},
        {&test_who_was_told_may_free_it, VARIANTS},
    };

    return run_tests("cond_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

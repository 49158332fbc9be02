/* SPDX-License-Identifier: MIT */
/*
 * weft_mutex and weft_rmutex among threads.  A wake-up that is lost hangs a
 * test, which then fails by its time limit.
 */
#include <weft/mutex.h>
#include <weft/rmutex.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/park.h"
#include "deadlock/watch.h"
#include "sync/mutex_impl.h"

#include "testing.h"

#define THREADS 8
#define MOST    16

/* A storm as _i says: which lock, and where. */
enum { ON_ALL_CPUS, ON_ONE_CPU, WATCHED, PLACES };
enum { MUTEX, RMUTEX, LOCKS };

static weft_mutex m = WEFT_MUTEX_INIT;
static weft_rmutex r = WEFT_RMUTEX_INIT;
static bool is_rmutex;
static unsigned rounds;
static uint64_t inside;  /* plain: the lock's */
static uint64_t entered; /* plain: the lock's */
static _Atomic uint64_t taken;
static _Atomic unsigned ready;

/* In a thread and in a loop: what Check does at each assertion that holds is
 * slow, and a cancellation point. */
static void
expect(bool truth)
{
    if (!truth)
        ck_abort();
}

/* Let this process have one CPU, so that nothing spins. */
static void
have_one_cpu(void)
{
    cpu_set_t mask;
    cpu_set_t first;
    size_t cpu = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(mask), &mask), 0);
    while (!CPU_ISSET(cpu, &mask))
        cpu++;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(first), &first), 0);
    weft_park_recount_();
}

static void
set_up(int i, unsigned how_many)
{
    if (i % PLACES == ON_ONE_CPU)
        have_one_cpu();
    if (i % PLACES == WATCHED)
        weft_watch_enable_(true);
    is_rmutex = i / PLACES == RMUTEX;
    rounds = in_emulator() ? how_many / 20 : how_many;
}

/* Start `n` threads of `fn` and wait for them. */
static void
run_threads(unsigned n, void *(*fn)(void *))
{
    pthread_t t[MOST];

    for (uintptr_t i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, fn, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
}

static uint64_t
next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x >> 8;
}

static enum weft_status
take(uint64_t how)
{
    const weft_deadline soon = weft_in_us((int64_t)(how >> 8) % 40);

    switch (how % 4) {
    case 0:
        return is_rmutex ? weft_rmutex_trylock(&r) : weft_mutex_trylock(&m);
    case 1:
        return is_rmutex ? weft_rmutex_lock_until(&r, soon)
                         : weft_mutex_lock_until(&m, soon);
    default:
        return is_rmutex ? weft_rmutex_lock(&r) : weft_mutex_lock(&m);
    }
}

static void
let_go(void)
{
    expect((is_rmutex ? weft_rmutex_unlock(&r) : weft_mutex_unlock(&m)) ==
           WEFT_OK);
}

/* Inside; deeper in an rmutex, sometimes. */
static void
be_alone(uint64_t x)
{
    const bool deeper = is_rmutex && x % 8 == 0;

    expect(inside++ == 0);
    if (deeper)
        expect(weft_rmutex_lock(&r) == WEFT_OK);
    entered++;
    if (x % 64 == 0)
        sched_yield();
    if (deeper)
        expect(weft_rmutex_unlock(&r) == WEFT_OK);
    inside--;
}

static void *
storm(void *arg)
{
    uint64_t x = (uintptr_t)arg * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mine = 0;

    for (unsigned i = 0; i < rounds; i++) {
        if (take(next_random(&x)) != WEFT_OK)
            continue;
        be_alone(next_random(&x));
        mine++;
        let_go();
    }
    atomic_fetch_add_explicit(&taken, mine, memory_order_relaxed);
    return NULL;
}

START_TEST(test_one_thread_at_a_time)
{
    set_up(_i, 40000);
    run_threads(THREADS, storm);
    ck_assert_uint_eq(entered, taken);
    ck_assert(!weft_mutex_is_locked(is_rmutex ? &r.mutex : &m));
}
END_TEST

/* Deadlines that run out while the mutex is handed over. */
static void *
hurry(void *arg)
{
    uint64_t x = (uintptr_t)arg * UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < rounds; i++) {
        const weft_deadline end =
            weft_in_us((int64_t)(next_random(&x) % 100) + 1);
        const enum weft_status s = weft_mutex_lock_until(&m, end);
        if (s == WEFT_OK) {
            entered++;
            if (next_random(&x) % 4 == 0)
                sched_yield(); /* so that others sleep */
            expect(weft_mutex_unlock(&m) == WEFT_OK);
        } else {
            expect(s == WEFT_TIMEOUT);
            expect(end <= weft_in_ns(1));
        }
    }
    return NULL;
}

static void *
hurry_or_wait(void *arg)
{
    if ((uintptr_t)arg % 2 == 0)
        return hurry(arg);
    for (unsigned i = 0; i < rounds; i++) {
        expect(weft_mutex_lock(&m) == WEFT_OK);
        entered++;
        sched_yield();
        expect(weft_mutex_unlock(&m) == WEFT_OK);
    }
    return NULL;
}

START_TEST(test_a_timeout_loses_no_wakeup)
{
    set_up(_i, 4000);
    run_threads(THREADS, hurry_or_wait);
    ck_assert_uint_ge(entered, THREADS / 2 * rounds);
    ck_assert(!weft_mutex_is_locked(&m));
}
END_TEST

/* All wait at once, and each one's unlock lets the next one in. */
static void *
wait_in_line(void *arg)
{
    (void)arg;
    atomic_fetch_add_explicit(&ready, 1, memory_order_relaxed);
    expect(weft_mutex_lock(&m) == WEFT_OK);
    entered++;
    expect(weft_mutex_unlock(&m) == WEFT_OK);
    return NULL;
}

/* Until `n` threads have published that they wait for `object`. */
static void
await_waiters(const void *object, unsigned n)
{
    for (unsigned seen = 0; seen < n;) {
        seen = 0;
        weft_reclaim_enter_();
        for (const struct weft_self *s = weft_self_first_(); s != NULL;
             s = weft_self_next_(s))
            seen += atomic_load_explicit(&s->waits_for, memory_order_relaxed) ==
                    object;
        weft_reclaim_leave_();
        sched_yield();
    }
}

START_TEST(test_each_unlock_lets_the_next_one_in)
{
    pthread_t t[MOST];

    set_up(_i, 0);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    for (int i = 0; i < MOST; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, wait_in_line, NULL), 0);
    await_waiters(&m, MOST);
    ck_assert_uint_eq(entered, 0);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    for (int i = 0; i < MOST; i++)
        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
    ck_assert_uint_eq(entered, MOST);
}
END_TEST

/* The last of two to leave frees what both were in. */
struct shared {
    weft_mutex lock;
    unsigned users;
};

static struct shared *_Atomic offered;

static bool
leave(struct shared *s)
{
    expect(weft_mutex_lock(&s->lock) == WEFT_OK);
    const bool last = --s->users == 0;
    expect(weft_mutex_unlock(&s->lock) == WEFT_OK);
    if (last)
        free(s);
    return last;
}

static void *
leave_each(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < rounds; i++) {
        struct shared *s;
        while ((s = atomic_exchange_explicit(&offered, NULL,
                                             memory_order_acquire)) == NULL)
            sched_yield();
        leave(s);
    }
    return NULL;
}

START_TEST(test_who_locks_it_last_may_free_it)
{
    pthread_t t;

    set_up(_i, 20000);
    ck_assert_int_eq(pthread_create(&t, NULL, leave_each, NULL), 0);
    for (unsigned i = 0; i < rounds; i++) {
        struct shared *s = calloc(1, sizeof(*s));
        expect(s != NULL);
        s->users = 2;
        while (atomic_load_explicit(&offered, memory_order_relaxed) != NULL)
            sched_yield();
        atomic_store_explicit(&offered, s, memory_order_release);
        leave(s);
    }
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

static void
unlock_at_end(void *arg)
{
    expect(weft_mutex_unlock(arg) == WEFT_OK);
}

WEFT_LEFT_WHEN_CANCELLED_ static void *
wait_to_be_cancelled(void *arg)
{
    (void)arg;
    expect(weft_mutex_lock(&m) == WEFT_OK);
    pthread_cleanup_push(unlock_at_end, &m);
    for (;;)
        pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

START_TEST(test_a_wait_is_no_cancellation_point)
{
    pthread_t t;
    void *result;

    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(pthread_create(&t, NULL, wait_to_be_cancelled, NULL), 0);
    await_waiters(&m, 1);
    ck_assert_int_eq(pthread_cancel(t), 0);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(pthread_join(t, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

/* How a child ends that uses the mutex. */
static void
use_in_child(bool is_held)
{
    const pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (is_held && weft_mutex_unlock(&m) != WEFT_OK)
            _exit(1);
        for (int i = 0; i < 3; i++)
            if (weft_mutex_lock(&m) != WEFT_OK ||
                weft_mutex_unlock(&m) != WEFT_OK)
                _exit(2);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(test_a_forked_child_uses_it)
{
    use_in_child(false);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    use_in_child(true);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

START_TEST(test_newcomers_hold_back_for_who_starves)
{
    const weft_deadline end = weft_in_us(300);

    m.word = WEFT_MUTEX_STARVED_; /* as if somebody were on its way */
    ck_assert_int_eq(weft_mutex_lock_until(&m, end), WEFT_OK);
    ck_assert_int_le(end, weft_in_ns(1));
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_uint_eq(m.word & WEFT_MUTEX_STARVED_, 0);
}
END_TEST

START_TEST(test_they_do_not_hold_back_for_ever)
{
    m.word = WEFT_MUTEX_STARVED_;
    ck_assert(!weft_mutex_is_locked(&m));
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    m.word = WEFT_MUTEX_STARVED_;
    ck_assert_int_eq(weft_mutex_trylock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
}
END_TEST

/* The same in a child whose waiters are gone, but not their traces. */
START_TEST(test_a_forked_child_does_not_wait_for_who_is_gone)
{
    pthread_t t;

    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(pthread_create(&t, NULL, wait_in_line, NULL), 0);
    await_waiters(&m, 1);
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    m.word |= WEFT_MUTEX_STARVED_ | WEFT_MUTEX_SLEEPERS_;
    use_in_child(true);
}
END_TEST

/* Wake it again and again, and each time it finds the mutex held. */
START_TEST(test_who_waits_for_long_says_that_it_starves)
{
    pthread_t t;

    set_up(_i, 0);
    ck_assert_int_eq(weft_mutex_lock(&m), WEFT_OK);
    ck_assert_int_eq(pthread_create(&t, NULL, wait_in_line, NULL), 0);
    while ((atomic_load_explicit(&m.word, memory_order_relaxed) &
            WEFT_MUTEX_STARVED_) == 0) {
        weft_park_wake_(&m.word, 1);
        sched_yield();
    }
    ck_assert_uint_eq(weft_mutex_owner(&m), weft_self_id_());
    ck_assert_int_eq(weft_mutex_unlock(&m), WEFT_OK);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_uint_eq(entered, 1);
    ck_assert_uint_eq(m.word & WEFT_MUTEX_STARVED_, 0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_one_thread_at_a_time, PLACES * LOCKS},
        {&test_a_timeout_loses_no_wakeup, PLACES},
        {&test_each_unlock_lets_the_next_one_in, PLACES},
        {&test_who_locks_it_last_may_free_it, PLACES},
        {&test_a_wait_is_no_cancellation_point, 1},
        {&test_a_forked_child_uses_it, 1},
        {&test_a_forked_child_does_not_wait_for_who_is_gone, 1},
        {&test_newcomers_hold_back_for_who_starves, 1},
        {&test_they_do_not_hold_back_for_ever, 1},
        {&test_who_waits_for_long_says_that_it_starves, PLACES},
    };

    return run_tests("mutex_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

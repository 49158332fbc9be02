/* SPDX-License-Identifier: MIT */
/*
 * A ring across fork(), in signal handlers, on one CPU and with more threads
 * than CPUs; _i is the form.
 */
#include <weft/ring.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sleepers.h"
#include "testing.h"

#define FORMS    (WEFT_MUTEX + 1)
#define STRICT   1 /* form: WEFT_LOCKFREE */
#define NO_LOCK  2 /* forms: and WEFT_LOCKLESS */
#define CAPACITY 13

static weft_ring *ring;
static _Atomic bool stop;

static void
make_ring(size_t capacity, int form)
{
    ck_assert_int_eq(weft_ring_create(&ring, capacity, (enum weft_impl)form),
                     WEFT_OK);
}

static void
ends_well(pid_t child)
{
    int status;

    ck_assert_int_ge(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

/* --- fork ---------------------------------------------------------------- */

static sem_t used;
static sem_t go_on;

static void *
use_and_sleep(void *arg)
{
    void *item = NULL;

    (void)arg;
    must(weft_ring_push(ring, NULL) == WEFT_OK);
    must(weft_ring_pop(ring, &item) == WEFT_OK);
    sem_post(&used);
    while (sem_wait(&go_on) != 0)
        ;
    return NULL;
}

/* In a child: as many as fit go in and out; then it is the end of the ring. */
static bool
can_be_used(uintptr_t left)
{
    void *item;

    for (uintptr_t i = 0; i < left; i++)
        if (weft_ring_pop(ring, &item) != WEFT_OK || (uintptr_t)item != i)
            return false;
    for (uintptr_t i = 0; i < CAPACITY; i++)
        if (weft_ring_push(ring, (void *)i) != WEFT_OK)
            return false;
    if (weft_ring_push(ring, NULL) != WEFT_FULL)
        return false;
    for (uintptr_t i = 0; i < CAPACITY - 1; i++)
        if (weft_ring_pop(ring, &item) != WEFT_OK || (uintptr_t)item != i)
            return false;
    weft_ring_destroy(ring);
    return true;
}

START_TEST(test_a_forked_child_uses_and_destroys_it)
{
    pthread_t other;
    void *item;

    make_ring(CAPACITY, _i);
    sem_init(&used, 0, 0);
    sem_init(&go_on, 0, 0);
    ck_assert_int_eq(pthread_create(&other, NULL, use_and_sleep, NULL), 0);
    while (sem_wait(&used) != 0)
        ;
    for (uintptr_t i = 0; i < 3; i++)
        ck_assert_int_eq(weft_ring_push(ring, (void *)i), WEFT_OK);
    const pid_t child = fork();
    if (child == 0)
        _exit(can_be_used(3) ? 0 : 1);
    ends_well(child);

    /* What the child did is not seen here. */
    ck_assert_uint_eq(weft_ring_size(ring), 3);
    ck_assert_int_eq(weft_ring_pop(ring, &item), WEFT_OK);
    ck_assert_ptr_null(item);
    sem_post(&go_on);
    pthread_join(other, NULL);
    weft_ring_destroy(ring);
}
END_TEST

static void *
push_and_pop_until_stopped(void *arg)
{
    uintptr_t next = 0;
    void *item;

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        if (weft_ring_push(ring, arg) == WEFT_OK)
            next++;
        if (next % 3 != 0)
            (void)!weft_ring_pop(ring, &item);
    }
    return NULL;
}

/* Threads that the child has not were anywhere in their calls: strictly
 * lock-free, that stops nobody. */
START_TEST(test_a_child_forked_amid_the_calls_of_others_goes_on)
{
    enum { THREADS = 4, FORKS = 20 };
    pthread_t thread[THREADS];

    make_ring(CAPACITY, WEFT_LOCKFREE);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&thread[i], NULL, push_and_pop_until_stopped, ring),
            0);
    for (int i = 0; i < FORKS; i++) {
        const pid_t child = fork();
        if (child == 0) {
            void *item = ring;
            size_t left = 0;
            for (; weft_ring_pop(ring, &item) == WEFT_OK && item == ring;)
                left++;
            _exit(item == ring && left <= CAPACITY && can_be_used(0) ? 0 : 1);
        }
        ends_well(child);
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    weft_ring_destroy(ring);
}
END_TEST

/* --- signal handlers ----------------------------------------------------- */

static _Atomic uint64_t pushed;
static _Atomic uint64_t popped;
static _Atomic unsigned handled;

static void
push_one(uintptr_t number)
{
    if (weft_ring_push(ring, (void *)number) == WEFT_OK)
        atomic_fetch_add_explicit(&pushed, number, memory_order_relaxed);
}

static void
pop_one(void)
{
    void *item = NULL;

    if (weft_ring_pop(ring, &item) == WEFT_OK)
        atomic_fetch_add_explicit(&popped, (uintptr_t)item,
                                  memory_order_relaxed);
}

static void
use_in_handler(int signal)
{
    (void)signal;
    const unsigned nth =
        atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
    if (nth % 2 == 0)
        push_one(nth);
    else
        pop_one();
}

static void *
use_until_stopped(void *arg)
{
    uintptr_t next = 1;

    (void)arg;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        push_one(next++);
        pop_one();
    }
    return NULL;
}

START_TEST(test_a_handler_may_push_and_pop_amid_any_call)
{
    enum { THREADS = 3, HANDLED = 300 };
    const struct sigaction action = {.sa_handler = use_in_handler};
    pthread_t thread[THREADS];

    make_ring(3, _i);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&thread[i], NULL, use_until_stopped, NULL), 0);
    for (unsigned i = 0;
         atomic_load_explicit(&handled, memory_order_relaxed) < HANDLED; i++) {
        pthread_kill(thread[i % THREADS], SIGUSR1);
        sched_yield();
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    while (weft_ring_size(ring) > 0)
        pop_one();
    ck_assert_uint_eq(pushed, popped);
    weft_ring_destroy(ring);
}
END_TEST

/* --- CPUs ---------------------------------------------------------------- */

#define THREADS_MOST 64
#define EACH         1000

struct worker {
    pthread_t thread;
    uint64_t sum;
    unsigned disorder;
    unsigned number;
    unsigned producers;
};

static _Atomic unsigned to_come;

static void *
produce(void *arg)
{
    const struct worker *w = arg;

    for (uintptr_t i = 1; i <= EACH; i++)
        while (weft_ring_push(ring, (void *)(w->number * 10000 + i)) != WEFT_OK)
            sched_yield();
    return NULL;
}

static void *
consume(void *arg)
{
    struct worker *w = arg;
    uintptr_t last[THREADS_MOST] = {0};
    void *item;

    while (atomic_load_explicit(&to_come, memory_order_relaxed) > 0) {
        if (weft_ring_pop(ring, &item) != WEFT_OK) {
            sched_yield();
            continue;
        }
        const uintptr_t number = (uintptr_t)item;
        w->disorder += number <= last[number / 10000];
        last[number / 10000] = number;
        w->sum += number % 10000;
        atomic_fetch_sub_explicit(&to_come, 1, memory_order_relaxed);
    }
    return NULL;
}

static void
pass_items(size_t capacity, int form, unsigned each)
{
    struct worker workers[2 * THREADS_MOST] = {{.number = 0}};
    uint64_t sum = 0;

    make_ring(capacity, form);
    atomic_store_explicit(&to_come, each * EACH, memory_order_relaxed);
    for (unsigned i = 0; i < 2 * each; i++) {
        workers[i].number = i;
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
                                        i < each ? produce : consume,
                                        &workers[i]),
                         0);
    }
    for (unsigned i = 0; i < 2 * each; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].sum;
        ck_assert_uint_eq(workers[i].disorder, 0);
    }
    ck_assert_uint_eq(sum, (uint64_t)each * EACH * (EACH + 1) / 2);
    ck_assert_uint_eq(weft_ring_size(ring), 0);
    weft_ring_destroy(ring);
}

START_TEST(test_one_cpu_serves_producers_and_consumers)
{
    have_one_cpu(true);
    pass_items(1, _i, 1);
    pass_items(CAPACITY, _i, 3);
}
END_TEST

START_TEST(test_many_more_threads_than_cpus_lose_nothing)
{
    unsigned each = 4 * weft_cpu_count();

    each = each < THREADS_MOST ? each : THREADS_MOST;
    pass_items(2, _i, each);
    pass_items(1000, _i, each);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_handler_may_push_and_pop_amid_any_call, NO_LOCK},
        {&test_one_cpu_serves_producers_and_consumers, FORMS},
        {&test_many_more_threads_than_cpus_lose_nothing, FORMS},
        {&test_a_forked_child_uses_and_destroys_it, FORMS},
        {&test_a_child_forked_amid_the_calls_of_others_goes_on, STRICT},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: the tests of fork(); qemu-user 7.2 crashes when a "
             "process with threads forks");
        count -= 2;
    }
    return run_tests("ring_process", tests, count, 60);
}

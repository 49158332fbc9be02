/* SPDX-License-Identifier: MIT */
/*
 * A ring of one producer and one consumer across fork(), in signal handlers,
 * on one CPU and with more threads than CPUs; _i is the form.
 */
#include <weft/spsc.h>

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
#define NO_LOCK  2 /* forms */
#define CAPACITY 13

static weft_spsc *
new_ring(size_t capacity, int form)
{
    weft_spsc *r = NULL;

    ck_assert_int_eq(weft_spsc_create(&r, capacity, (enum weft_impl)form),
                     WEFT_OK);
    return r;
}

static weft_spsc *ring;

/* --- fork ---------------------------------------------------------------- */

static sem_t used;
static sem_t go_on;

static void *
push_and_sleep(void *arg)
{
    (void)arg;
    for (uintptr_t i = 0; i < 3; i++)
        must(weft_spsc_push(ring, (void *)i) == WEFT_OK);
    sem_post(&used);
    while (sem_wait(&go_on) != 0)
        ;
    return NULL;
}

static bool
can_be_used(void)
{
    void *item;

    for (uintptr_t i = 0; i < 3; i++)
        if (weft_spsc_pop(ring, &item) != WEFT_OK || (uintptr_t)item != i)
            return false;
    for (uintptr_t i = 0; i < CAPACITY; i++)
        if (weft_spsc_push(ring, (void *)i) != WEFT_OK)
            return false;
    if (weft_spsc_push(ring, NULL) != WEFT_FULL)
        return false;
    for (uintptr_t i = 0; i < CAPACITY - 1; i++)
        if (weft_spsc_pop(ring, &item) != WEFT_OK || (uintptr_t)item != i)
            return false;
    weft_spsc_destroy(ring);
    return true;
}

START_TEST(test_a_forked_child_uses_and_destroys_it)
{
    pthread_t other;
    int status;

    ring = new_ring(CAPACITY, _i);
    sem_init(&used, 0, 0);
    sem_init(&go_on, 0, 0);
    ck_assert_int_eq(pthread_create(&other, NULL, push_and_sleep, NULL), 0);
    while (sem_wait(&used) != 0)
        ;
    const pid_t child = fork();
    if (child == 0)
        _exit(can_be_used() ? 0 : 1); /* both sides are its own now */
    ck_assert_int_ge(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(weft_spsc_size(ring), 3);
    sem_post(&go_on);
    pthread_join(other, NULL);
    weft_spsc_destroy(ring);
}
END_TEST

/* --- signal handlers ----------------------------------------------------- */

#define BY_HANDLER 200 /* items */

static _Atomic uint64_t by_handler; /* the next number to push, or to pop */
static _Atomic bool in_order = true;
static _Atomic bool enough;

static void
push_in_handler(int signal)
{
    const uint64_t next =
        atomic_load_explicit(&by_handler, memory_order_relaxed);

    (void)signal;
    if (weft_spsc_push(ring, (void *)(uintptr_t)next) == WEFT_OK)
        atomic_store_explicit(&by_handler, next + 1, memory_order_relaxed);
}

static void
pop_in_handler(int signal)
{
    const uint64_t next =
        atomic_load_explicit(&by_handler, memory_order_relaxed);
    void *item;

    (void)signal;
    if (weft_spsc_pop(ring, &item) != WEFT_OK)
        return;
    if ((uintptr_t)item != next)
        atomic_store_explicit(&in_order, false, memory_order_relaxed);
    atomic_store_explicit(&by_handler, next + 1, memory_order_relaxed);
}

static void *
send_signals(void *arg)
{
    const pthread_t to = *(const pthread_t *)arg;

    while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
        pthread_kill(to, SIGUSR1);
        sched_yield();
    }
    return NULL;
}

START_TEST(test_a_handler_may_be_the_producer_of_who_it_interrupts)
{
    const struct sigaction action = {.sa_handler = push_in_handler};
    pthread_t self = pthread_self();
    pthread_t sender;
    uint64_t next = 0;
    uint64_t wrong = 0;
    void *item;

    ring = new_ring(3, _i);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, &self), 0);
    while (next < BY_HANDLER)
        if (weft_spsc_pop(ring, &item) == WEFT_OK)
            wrong += (uintptr_t)item != next++;
    atomic_store_explicit(&enough, true, memory_order_relaxed);
    pthread_join(sender, NULL);
    signal(SIGUSR1, SIG_IGN);
    while (weft_spsc_pop(ring, &item) == WEFT_OK)
        wrong += (uintptr_t)item != next++;
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(next, by_handler);
    weft_spsc_destroy(ring);
}
END_TEST

START_TEST(test_a_handler_may_be_the_consumer_of_who_it_interrupts)
{
    const struct sigaction action = {.sa_handler = pop_in_handler};
    pthread_t self = pthread_self();
    pthread_t sender;
    uint64_t next = 0;

    ring = new_ring(3, _i);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, &self), 0);
    while (next < BY_HANDLER)
        if (weft_spsc_push(ring, (void *)(uintptr_t)next) == WEFT_OK)
            next++;
    atomic_store_explicit(&enough, true, memory_order_relaxed);
    pthread_join(sender, NULL);
    signal(SIGUSR1, SIG_IGN);
    while (weft_spsc_size(ring) > 0)
        pop_in_handler(0);
    ck_assert(in_order);
    ck_assert_uint_eq(next, by_handler);
    weft_spsc_destroy(ring);
}
END_TEST

/* --- CPUs ---------------------------------------------------------------- */

/* A chain: each thread takes from the ring before it and fills the next. */

#define STAGES_MOST 64
#define EACH        1000

static weft_spsc *chain[STAGES_MOST + 1];

static void *
pass_on(void *arg)
{
    weft_spsc **from = arg;
    void *items[4];

    for (unsigned passed = 0; passed < EACH;) {
        const size_t n = weft_spsc_pop_n(from[0], items, 4);
        for (size_t done = 0; done < n;) {
            const size_t some =
                weft_spsc_push_n(from[1], items + done, n - done);
            done += some;
            if (some == 0)
                sched_yield();
        }
        passed += (unsigned)n;
        if (n == 0)
            sched_yield();
    }
    return NULL;
}

static void *
feed(void *arg)
{
    (void)arg;
    for (uintptr_t i = 0; i < EACH; i++)
        while (weft_spsc_push(chain[0], (void *)i) != WEFT_OK)
            sched_yield();
    return NULL;
}

static void
pass_through(unsigned stages, size_t capacity, int form)
{
    pthread_t thread[STAGES_MOST + 1];
    uintptr_t wrong = 0;
    void *item;

    for (unsigned i = 0; i <= stages; i++)
        chain[i] = new_ring(capacity, form);
    ck_assert_int_eq(pthread_create(&thread[stages], NULL, feed, NULL), 0);
    for (unsigned i = 0; i < stages; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, pass_on, &chain[i]),
                         0);
    for (uintptr_t i = 0; i < EACH; i++) {
        while (weft_spsc_pop(chain[stages], &item) != WEFT_OK)
            sched_yield();
        wrong += (uintptr_t)item != i;
    }
    ck_assert_uint_eq(wrong, 0);
    for (unsigned i = 0; i <= stages; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; i <= stages; i++) {
        ck_assert_uint_eq(weft_spsc_size(chain[i]), 0);
        weft_spsc_destroy(chain[i]);
    }
}

START_TEST(test_one_cpu_serves_a_chain_of_threads)
{
    have_one_cpu(true);
    pass_through(1, 1, _i);
    pass_through(4, 7, _i);
}
END_TEST

START_TEST(test_many_more_threads_than_cpus_keep_the_order)
{
    const unsigned stages = 4 * weft_cpu_count();

    pass_through(stages < STAGES_MOST ? stages : STAGES_MOST, 64, _i);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_handler_may_be_the_producer_of_who_it_interrupts, NO_LOCK},
        {&test_a_handler_may_be_the_consumer_of_who_it_interrupts, NO_LOCK},
        {&test_one_cpu_serves_a_chain_of_threads, FORMS},
        {&test_many_more_threads_than_cpus_keep_the_order, FORMS},
        {&test_a_forked_child_uses_and_destroys_it, FORMS},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: the test of fork(); qemu-user 7.2 crashes when a "
             "process with threads forks");
        count -= 1;
    }
    return run_tests("spsc_process", tests, count, 60);
}

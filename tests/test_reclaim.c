/* SPDX-License-Identifier: MIT */
#include "base/reclaim.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

/* The linker sends the library's threads here; see the program's LDFLAGS. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);

static _Atomic bool no_threads;

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                      void *(*run)(void *), void *arg)
{
    if (atomic_load_explicit(&no_threads, memory_order_relaxed))
        return EAGAIN;
    return __real_pthread_create(thread, attr, run, arg);
}

#ifdef WEFT_TSAN
/* It refuses a forked child its threads unless told otherwise. */
const char *__tsan_default_options(void);

const char *
__tsan_default_options(void)
{
    return "die_after_fork=0:atexit_sleep_ms=100";
}
#endif

static void
start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    ck_assert_int_eq(__real_pthread_create(thread, NULL, run, arg), 0);
}

static void
end(pthread_t thread)
{
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* What is given back here: its fields are plain on purpose. */
struct object {
    struct weft_retired retired; /* the first: one cast leads back */
    int alive;
};

static _Atomic unsigned given_back;

static unsigned
count_given_back(void)
{
    return atomic_load_explicit(&given_back, memory_order_acquire);
}

static void
await_given_back(unsigned n)
{
    while (count_given_back() < n)
        sched_yield();
}

static struct object *
new_object(void)
{
    struct object *o = malloc(sizeof(*o));

    ck_assert_ptr_nonnull(o);
    o->alive = 1;
    return o;
}

static void
give_back(struct weft_retired *r)
{
    struct object *o = (struct object *)r;

    o->alive = 0;
    free(o);
    atomic_fetch_add_explicit(&given_back, 1, memory_order_release);
}

static void
defer_new(void)
{
    weft_reclaim_defer_(&new_object()->retired, give_back);
}

/* A reader that stays inside until it is told to leave. */

static _Atomic bool reader_inside;
static _Atomic bool may_leave;
static int left; /* plain: the grace period is what orders it */
static _Atomic int seen_left = -1;

static void *
stay_inside(void *arg)
{
    weft_reclaim_enter_();
    weft_reclaim_enter_();
    weft_reclaim_leave_(); /* nested: still inside */
    atomic_store_explicit(&reader_inside, true, memory_order_release);
    while (!atomic_load_explicit(&may_leave, memory_order_relaxed))
        sched_yield();
    left = 1;
    weft_reclaim_leave_();
    return arg;
}

static void
look_whether_left(struct weft_retired *r)
{
    atomic_store_explicit(&seen_left, left, memory_order_release);
    give_back(r);
}

static void *
call_barrier(void *arg)
{
    weft_reclaim_barrier_();
    return arg;
}

static void *
call_synchronize(void *arg)
{
    weft_reclaim_synchronize_();
    atomic_store_explicit(&seen_left, left, memory_order_release);
    return arg;
}

static void
await_reader_inside(pthread_t *thread)
{
    start(thread, stay_inside, NULL);
    while (!atomic_load_explicit(&reader_inside, memory_order_acquire))
        sched_yield();
}

/* Give a wrong library time to give back too early; a right one cannot. */
static void
tempt(void)
{
    usleep(30000);
}

START_TEST(test_give_back_runs_after_the_reader_has_left)
{
    pthread_t reading;
    pthread_t waiting;

    await_reader_inside(&reading);
    weft_reclaim_defer_(&new_object()->retired, look_whether_left);
    if (_i == 1) /* the barrier gives back, or else the helper */
        start(&waiting, call_barrier, NULL);
    tempt();
    ck_assert_uint_eq(count_given_back(), 0);
    atomic_store_explicit(&may_leave, true, memory_order_relaxed);
    await_given_back(1);
    ck_assert_int_eq(atomic_load_explicit(&seen_left, memory_order_acquire), 1);
    end(reading);
    if (_i == 1)
        end(waiting);
}
END_TEST

START_TEST(test_synchronize_waits_for_the_reader)
{
    pthread_t reading;
    pthread_t waiting;

    await_reader_inside(&reading);
    start(&waiting, call_synchronize, NULL);
    tempt();
    ck_assert_int_eq(atomic_load_explicit(&seen_left, memory_order_relaxed),
                     -1);
    atomic_store_explicit(&may_leave, true, memory_order_relaxed);
    end(waiting);
    ck_assert_int_eq(atomic_load_explicit(&seen_left, memory_order_relaxed), 1);
    end(reading);
}
END_TEST

START_TEST(test_helper_gives_back_without_being_asked)
{
    for (unsigned n = 1; n <= 20; n++) {
        defer_new();
        await_given_back(n);
    }
}
END_TEST

#define THREADS 8
#define EACH    2000

static void *
defer_many(void *arg)
{
    for (int i = 0; i < EACH; i++)
        defer_new();
    return arg;
}

START_TEST(test_barrier_waits_for_all_that_any_thread_deferred)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        start(&threads[i], defer_many, NULL);
    for (int i = 0; i < THREADS; i++)
        end(threads[i]);
    weft_reclaim_barrier_();
    ck_assert_uint_eq(count_given_back(), THREADS * EACH);
    weft_reclaim_barrier_(); /* nothing left: returns */
}
END_TEST

/* Readers follow one pointer while a writer replaces what it leads to. */
static _Atomic(struct object *) current;
static _Atomic bool stop;

static void *
follow(void *arg)
{
    unsigned *dead = arg;

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        weft_reclaim_enter_();
        struct object *o = atomic_load_explicit(&current, memory_order_acquire);
        for (int i = 0; i < 20; i++)
            *dead += o->alive != 1;
        weft_reclaim_leave_();
    }
    return NULL;
}

static void
replace(void)
{
    struct object *old =
        atomic_exchange_explicit(&current, new_object(), memory_order_acq_rel);

    if (old != NULL)
        weft_reclaim_defer_(&old->retired, give_back);
}

START_TEST(test_reader_never_sees_what_was_given_back)
{
    pthread_t readers[3];
    unsigned dead[3] = {0};

    replace();
    for (int i = 0; i < 3; i++)
        start(&readers[i], follow, &dead[i]);
    for (int i = 0; i < 20000; i++) {
        replace();
        if (i % 1000 == 0)
            weft_reclaim_barrier_();
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (int i = 0; i < 3; i++) {
        end(readers[i]);
        ck_assert_uint_eq(dead[i], 0);
    }
    weft_reclaim_barrier_();
    ck_assert_uint_eq(count_given_back(), 20000);
    free(atomic_load_explicit(&current, memory_order_relaxed));
}
END_TEST

static void
give_back_and_defer(struct weft_retired *r)
{
    defer_new();
    give_back(r);
}

START_TEST(test_give_back_may_defer)
{
    weft_reclaim_defer_(&new_object()->retired, give_back_and_defer);
    await_given_back(2);
    weft_reclaim_defer_(&new_object()->retired, give_back_and_defer);
    weft_reclaim_barrier_();
    weft_reclaim_barrier_();
    ck_assert_uint_eq(count_given_back(), 4);
}
END_TEST

START_TEST(test_without_threads_defer_gives_back_by_itself)
{
    atomic_store_explicit(&no_threads, true, memory_order_relaxed);
    defer_new();
    ck_assert_uint_eq(count_given_back(), 1);
    weft_reclaim_enter_();
    defer_new(); /* it may not wait for itself */
    ck_assert_uint_eq(count_given_back(), 1);
    weft_reclaim_leave_();
    weft_reclaim_defer_(&new_object()->retired, give_back_and_defer);
    ck_assert_uint_eq(count_given_back(), 3);
    atomic_store_explicit(&no_threads, false, memory_order_relaxed);
    defer_new();
    await_given_back(5);
}
END_TEST

static unsigned
threads_now(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned n = 0;

    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *d; (d = readdir(tasks)) != NULL;)
        n += d->d_name[0] != '.';
    closedir(tasks);
    return n;
}

static void *
do_nothing(void *arg)
{
    return arg;
}

START_TEST(test_helper_ends_when_idle_and_starts_again)
{
    pthread_t first;

    start(&first, do_nothing, NULL); /* ThreadSanitizer's own comes with it */
    end(first);
    const unsigned before = threads_now();

    for (unsigned n = 1; n <= 3; n++) {
        defer_new();
        await_given_back(n);
        while (threads_now() > before)
            usleep(1000);
    }
}
END_TEST

/* How the child that runs `act` exits. */
static int
exit_of_child(void (*act)(void))
{
    int status = 0;
    const pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        act();
        _exit(1); /* act does not return */
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void
read_defer_and_wait(void)
{
    const unsigned before = count_given_back();

    weft_reclaim_enter_();
    weft_reclaim_leave_();
    defer_new();
    weft_reclaim_barrier_();
    if (count_given_back() < before + 1)
        _exit(2);
    const unsigned later = count_given_back();
    defer_new();
    while (count_given_back() < later + 1)
        sched_yield();
    weft_reclaim_synchronize_();
    _exit(0);
}

START_TEST(test_forked_child_goes_on)
{
    pthread_t readers[3];
    unsigned dead[3] = {0};

    replace();
    for (int i = 0; i < 3; i++)
        start(&readers[i], follow, &dead[i]);
    for (unsigned i = 0; i < 20; i++) {
        replace(); /* the helper is busy, or the list is not empty */
        ck_assert_int_eq(exit_of_child(read_defer_and_wait), 0);
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (int i = 0; i < 3; i++)
        end(readers[i]);
    weft_reclaim_barrier_();
    ck_assert_uint_eq(count_given_back(), 20);
    free(atomic_load_explicit(&current, memory_order_relaxed));
}
END_TEST

#ifndef WEFT_RECLAIM_CALLS_ /* sanitizers have threads and exits of their own */
static void
leave_main(void)
{
    const unsigned before = count_given_back();

    defer_new();
    await_given_back(before + 1);
    pthread_exit(NULL);
}

START_TEST(test_process_ends_with_its_own_threads)
{
    ck_assert_int_eq(exit_of_child(leave_main), 0);
}
END_TEST
#endif

int
main(void)
{
    static const struct test tests[] = {
        {&test_give_back_runs_after_the_reader_has_left, 2},
        {&test_synchronize_waits_for_the_reader, 1},
        {&test_helper_gives_back_without_being_asked, 1},
        {&test_barrier_waits_for_all_that_any_thread_deferred, 1},
        {&test_reader_never_sees_what_was_given_back, 1},
        {&test_give_back_may_defer, 1},
        {&test_without_threads_defer_gives_back_by_itself, 1},
        {&test_helper_ends_when_idle_and_starts_again, 1},
#ifndef WEFT_RECLAIM_CALLS_
        {&test_process_ends_with_its_own_threads, 1},
#endif
        {&test_forked_child_goes_on, 1},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: test_forked_child_goes_on; qemu-user 7.2 crashes when "
             "a process with threads forks");
        count--;
    }
    return run_tests("reclaim", tests, count, 30);
}

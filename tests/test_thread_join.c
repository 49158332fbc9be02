/* SPDX-License-Identifier: MIT */
#include <weft/thread.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/self.h"
#include "base/tsan.h"
#include "testing.h"
#include "thread/thread.h"
#include "tsan_options.h"

static pthread_barrier_t gate;
static int there;

static weft_thread *
start(weft_fn *fn, void *arg)
{
    weft_thread *t = NULL;

    ck_assert_int_eq(weft_thread_start(&t, fn, arg, NULL), WEFT_OK);
    return t;
}

static void *
end(weft_thread *t)
{
    void *result = NULL;

    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    weft_thread_release(t);
    return result;
}

static void *
wait_at_gate(void *arg)
{
    pthread_barrier_wait(&gate);
    return arg;
}

START_TEST(test_after_a_timeout_it_can_be_joined_again)
{
    void *result = NULL;

    pthread_barrier_init(&gate, NULL, 2);
    weft_thread *t = start(wait_at_gate, &there);
    ck_assert_int_eq(weft_thread_join(t, WEFT_NOW, &result), WEFT_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        const weft_deadline d = weft_in_ms(5);
        ck_assert_int_eq(weft_thread_join(t, d, &result), WEFT_TIMEOUT);
        ck_assert_int_ge(weft_clock_ns_(), d);
    }
    ck_assert_ptr_null(result);
    pthread_barrier_wait(&gate);
    ck_assert_int_eq(weft_thread_join(t, weft_in_s(20), &result), WEFT_OK);
    ck_assert_ptr_eq(result, &there);
    weft_thread_release(t);
}
END_TEST

START_TEST(test_join_takes_what_is_there_although_the_deadline_has_passed)
{
    void *result = NULL;

    pthread_barrier_init(&gate, NULL, 1);
    weft_thread *t = start(wait_at_gate, &there);
    while (weft_thread_is_alive(t))
        sched_yield();
    ck_assert_int_eq(weft_thread_join(t, _i == 0 ? WEFT_NOW : 1, &result),
                     WEFT_OK);
    ck_assert_ptr_eq(result, &there);
    weft_thread_release(t);
}
END_TEST

struct joiner {
    weft_thread *t;
    weft_deadline deadline;
    enum weft_status status;
    void *result;
};

static void *
join_it(void *arg)
{
    struct joiner *j = arg;

    j->status = weft_thread_join(j->t, j->deadline, &j->result);
    return arg;
}

#define JOINERS 6

START_TEST(test_several_join_and_all_get_the_same)
{
    for (int round = 0; round < 100; round++) {
        struct joiner all[JOINERS];
        weft_thread *threads[JOINERS];
        pthread_barrier_init(&gate, NULL, 2);
        weft_thread *t = start(wait_at_gate, &there);
        for (int i = 0; i < JOINERS; i++) {
            all[i] = (struct joiner){
                .t = t, .deadline = i % 2 ? WEFT_FOREVER : weft_in_s(20)};
            threads[i] = start(join_it, &all[i]);
        }
        pthread_barrier_wait(&gate);
        for (int i = 0; i < JOINERS; i++) {
            end(threads[i]);
            ck_assert_int_eq(all[i].status, WEFT_OK);
            ck_assert_ptr_eq(all[i].result, &there);
        }
        ck_assert_ptr_eq(end(t), &there);
        pthread_barrier_destroy(&gate);
    }
}
END_TEST

START_TEST(test_join_may_be_repeated)
{
    void *result;

    pthread_barrier_init(&gate, NULL, 1);
    weft_thread *t = start(wait_at_gate, &there);
    for (int i = 0; i < 3; i++) {
        result = NULL;
        ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
        ck_assert_ptr_eq(result, &there);
        ck_assert_int_eq(weft_thread_join(t, WEFT_NOW, NULL), WEFT_OK);
    }
    weft_thread_release(t);
}
END_TEST

static void *
join_myself(void *arg)
{
    (void)arg;
    ck_assert_int_eq(
        weft_thread_join(weft_thread_current(), WEFT_FOREVER, NULL),
        WEFT_DEADLOCK);
    ck_assert_int_eq(weft_thread_join(weft_thread_current(), WEFT_NOW, NULL),
                     WEFT_DEADLOCK);
    return NULL;
}

START_TEST(test_joining_oneself_is_a_deadlock)
{
    end(start(join_myself, NULL));
}
END_TEST

/* Each joins the next one; somebody has to be refused. */
#define RING 5

static weft_thread *ring[RING];
static _Atomic int refused;

static void *
join_next(void *arg)
{
    const size_t i = (size_t)((weft_thread **)arg - ring);

    pthread_barrier_wait(&gate);
    const enum weft_status s =
        weft_thread_join(ring[(i + 1) % RING], WEFT_FOREVER, NULL);
    ck_assert(s == WEFT_OK || s == WEFT_DEADLOCK);
    if (s == WEFT_DEADLOCK)
        atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
    return NULL;
}

START_TEST(test_a_cycle_of_joins_is_a_deadlock_for_one)
{
    for (int round = 0; round < 200; round++) {
        pthread_barrier_init(&gate, NULL, RING + 1);
        atomic_store_explicit(&refused, 0, memory_order_relaxed);
        for (int i = 0; i < RING; i++)
            ring[i] = start(join_next, &ring[i]);
        pthread_barrier_wait(&gate);
        for (int i = 0; i < RING; i++)
            ck_assert_int_eq(weft_thread_join(ring[i], WEFT_FOREVER, NULL),
                             WEFT_OK);
        ck_assert_int_eq(atomic_load_explicit(&refused, memory_order_relaxed),
                         1);
        for (int i = 0; i < RING; i++)
            weft_thread_release(ring[i]);
        pthread_barrier_destroy(&gate);
    }
}
END_TEST

static weft_thread *two[2];
static enum weft_status answers[2];

static void *
join_other_in_time(void *arg)
{
    pthread_barrier_wait(&gate);
    answers[0] = weft_thread_join(two[1], weft_in_ms(30), NULL);
    return arg;
}

static void *
join_other_for_ever(void *arg)
{
    pthread_barrier_wait(&gate);
    while (atomic_load_explicit(&weft_thread_self_(two[0])->waits_for,
                                memory_order_relaxed) != two[1])
        sched_yield();
    answers[1] = weft_thread_join(two[0], WEFT_FOREVER, NULL);
    return arg;
}

START_TEST(test_a_cycle_with_a_deadline_in_it_is_none)
{
    pthread_barrier_init(&gate, NULL, 3);
    two[0] = start(join_other_in_time, NULL);
    two[1] = start(join_other_for_ever, NULL);
    pthread_barrier_wait(&gate);
    end(two[1]);
    end(two[0]);
    ck_assert_int_eq(answers[0], WEFT_TIMEOUT);
    ck_assert_int_eq(answers[1], WEFT_OK);
}
END_TEST

static void
await_waiting(weft_thread *joiner, const weft_thread *t)
{
    const struct weft_self *s = weft_thread_self_(joiner);

    while (atomic_load_explicit(&s->waits_for, memory_order_relaxed) != t)
        sched_yield();
}

START_TEST(test_a_cancelled_joiner_leaves_it_joinable)
{
    const weft_deadline deadline = _i == 0 ? WEFT_FOREVER : weft_in_s(50);
    void *result = NULL;

    pthread_barrier_init(&gate, NULL, 2);
    weft_thread *t = start(wait_at_gate, &there);
    struct joiner j = {.t = t, .deadline = deadline};
    for (int i = 0; i < 50; i++) {
        weft_thread *joiner = start(join_it, &j);
        await_waiting(joiner, t);
        if (i % 2 == 0)
            usleep(100); /* it may be asleep by now, or not yet */
        ck_assert_int_eq(pthread_cancel(weft_thread_self_(joiner)->pthread), 0);
        ck_assert_ptr_eq(end(joiner), PTHREAD_CANCELED);
    }
    ck_assert_int_eq(weft_thread_join(t, weft_in_ms(1), NULL), WEFT_TIMEOUT);
    pthread_barrier_wait(&gate);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &there);
    weft_thread_release(t);
}
END_TEST

START_TEST(test_another_joiner_goes_on_when_the_first_is_cancelled)
{
    pthread_barrier_init(&gate, NULL, 2);
    weft_thread *t = start(wait_at_gate, &there);
    struct joiner one = {.t = t, .deadline = WEFT_FOREVER};
    struct joiner other = one;

    weft_thread *first = start(join_it, &one);
    await_waiting(first, t);
    weft_thread *second = start(join_it, &other);
    await_waiting(second, t);
    usleep(1000); /* both may sleep by now */
    ck_assert_int_eq(pthread_cancel(weft_thread_self_(first)->pthread), 0);
    ck_assert_ptr_eq(end(first), PTHREAD_CANCELED);
    pthread_barrier_wait(&gate);
    end(second);
    ck_assert_int_eq(other.status, WEFT_OK);
    ck_assert_ptr_eq(other.result, &there);
    weft_thread_release(t);
}
END_TEST

static void *
call_pthread_exit(void *arg)
{
    pthread_exit(arg);
}

static void *
wait_to_be_cancelled(void *arg)
{
    for (;;)
        pause();
    return arg;
}

START_TEST(test_a_thread_that_leaves_early_has_a_result)
{
    ck_assert_ptr_eq(end(start(call_pthread_exit, &there)), &there);
    weft_thread *t = start(wait_to_be_cancelled, NULL);
    ck_assert_int_eq(pthread_cancel(weft_thread_self_(t)->pthread), 0);
    ck_assert_ptr_eq(end(t), PTHREAD_CANCELED);
    ck_assert_uint_eq(weft_thread_count(), 1);
}
END_TEST

static void
note_end(void *value)
{
    *(int *)value = 1;
}

static pthread_key_t key;

static void *
set_key(void *arg)
{
    pthread_setspecific(key, arg);
    return arg;
}

START_TEST(test_destructors_of_thread_specific_data_happen_before_the_join)
{
    ck_assert_int_eq(pthread_key_create(&key, note_end), 0);
    for (int i = 0; i < 200; i++) {
        int ended = 0; /* plain: the join orders it */
        weft_thread *t = start(set_key, &ended);
        const weft_deadline d = i % 2 == 0 ? WEFT_FOREVER : weft_in_s(20);
        ck_assert_int_eq(weft_thread_join(t, d, NULL), WEFT_OK);
        ck_assert_int_eq(ended, 1);
        weft_thread_release(t);
    }
}
END_TEST

static weft_thread *kept;

static void
keep(weft_thread *t, void *ctx)
{
    (void)ctx;
    if (t != weft_thread_main())
        kept = weft_thread_retain(t);
}

START_TEST(test_a_released_thread_that_is_found_again_can_be_joined)
{
    void *result = NULL;

    pthread_barrier_init(&gate, NULL, 2);
    weft_thread_release(start(wait_at_gate, &there));
    weft_thread_enumerate(keep, NULL);
    ck_assert_ptr_nonnull(kept);
    ck_assert_int_eq(weft_thread_join(kept, weft_in_ms(1), NULL), WEFT_TIMEOUT);
    pthread_barrier_wait(&gate);
    ck_assert_int_eq(weft_thread_join(kept, WEFT_FOREVER, &result), WEFT_OK);
    ck_assert_ptr_eq(result, &there);
    weft_thread_release(kept);
}
END_TEST

/* In a forked child */

static void *
fork_and_join(void *arg)
{
    weft_thread **threads = arg; /* one that runs, one that was joined */
    void *result = NULL;
    int status;

    const pid_t child = fork();
    if (child == 0) {
        if (weft_thread_join(threads[0], WEFT_FOREVER, NULL) != WEFT_CLOSED ||
            weft_thread_is_alive(threads[0]))
            _exit(1);
        if (weft_thread_join(threads[1], WEFT_FOREVER, &result) != WEFT_OK ||
            result != &there)
            _exit(2);
        if (weft_thread_join(threads[2], WEFT_FOREVER, NULL) != WEFT_CLOSED)
            _exit(7);
        if (weft_thread_current() != weft_thread_main() ||
            weft_thread_count() != 1 ||
            weft_thread_native_id(weft_thread_main()) != getpid())
            _exit(3);
        weft_thread_release(threads[0]);
        weft_thread_release(threads[1]);
        weft_thread_release(threads[2]);
        weft_thread *t;
        pthread_barrier_init(&gate, NULL, 1);
        if (weft_thread_start(&t, wait_at_gate, &there, NULL) != WEFT_OK)
            _exit(4);
        if (weft_thread_join(t, WEFT_FOREVER, &result) != WEFT_OK ||
            result != &there)
            _exit(5);
        weft_thread_release(t);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    return NULL;
}

START_TEST(test_in_a_forked_child_the_others_have_ended)
{
    weft_thread *threads[3];

    pthread_barrier_init(&gate, NULL, 1);
    threads[1] = start(wait_at_gate, &there);
    threads[2] = start(wait_at_gate, &there); /* ended, and not joined */
    ck_assert_int_eq(weft_thread_join(threads[1], WEFT_FOREVER, NULL), WEFT_OK);
    while (weft_thread_is_alive(threads[2]))
        sched_yield();
    pthread_barrier_init(&gate, NULL, 2);
    threads[0] = start(wait_at_gate, &there);
    if (_i == 0)
        fork_and_join(threads);
    else
        end(start(fork_and_join, threads));
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 3; i++)
        end(threads[i]);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_after_a_timeout_it_can_be_joined_again, 1},
        {&test_join_takes_what_is_there_although_the_deadline_has_passed, 2},
        {&test_several_join_and_all_get_the_same, 1},
        {&test_join_may_be_repeated, 1},
        {&test_joining_oneself_is_a_deadlock, 1},
        {&test_a_cycle_of_joins_is_a_deadlock_for_one, 1},
        {&test_a_cycle_with_a_deadline_in_it_is_none, 1},
        {&test_a_cancelled_joiner_leaves_it_joinable, 2},
        {&test_another_joiner_goes_on_when_the_first_is_cancelled, 1},
        {&test_a_thread_that_leaves_early_has_a_result, 1},
        {&test_destructors_of_thread_specific_data_happen_before_the_join, 1},
        {&test_a_released_thread_that_is_found_again_can_be_joined, 1},
        {&test_in_a_forked_child_the_others_have_ended, 2},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

#ifdef WEFT_TSAN
    count--; /* it takes the child's threads for the parent's */
#endif
    if (in_emulator()) {
        puts("left out: test_in_a_forked_child_the_others_have_ended; "
             "qemu-user 7.2 crashes when a process with threads forks");
        count--;
    }
    return run_tests("thread_join", tests, count, 30);
}

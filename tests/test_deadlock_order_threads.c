/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_threads.c - threads that tell at the same time, and
 * handlers that interrupt them.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors.h"
#include "testing.h"

#define CROWD  4
#define TIMES  2000
#define SHARED OBJECT(500)

static _Atomic int news;

static void
count_news(void *context)
{
    (void)context;
    atomic_fetch_add_explicit(&news, 1, memory_order_relaxed);
}

static void
begin_graph(void)
{
    const struct weft_order_options options = {.map = map_for_test,
                                               .news = count_news};

    begin_play(false);
    end_play();
    graph = weft_order_create_(&options);
    ck_assert_ptr_nonnull(graph);
    for (int a = 0; a < ACTORS; a++)
        actors[a].order = (struct weft_order_thread){0};
    appear(0);
}

/* Each on locks of its own, and on some that all have, in one order. */
static void *
tell_much(void *arg)
{
    const int a = *(int *)arg;

    appear(a);
    for (int i = 0; i < TIMES; i++) {
        const int mine = 1000 * a + 2 * (i % 100);
        nest_3(a, 1, 2 + i % 3, mine);
        weft_order_tells_(T(a), SHARED, NULL);
        weft_order_told_(T(a), SHARED);
        if (i % 10 == 0)
            weft_order_forgets_(graph, OBJECT(mine), 1);
        weft_order_creates_(T(a), (uint64_t)(1000 * a + i));
        weft_order_joins_(T(a), (uint64_t)(1000 * a + i));
    }
    return NULL;
}

START_TEST(test_threads_tell_at_the_same_time)
{
    pthread_t crowd[CROWD];
    int numbers[CROWD];

    begin_graph();
    for (int i = 0; i < CROWD; i++) {
        numbers[i] = i + 1;
        ck_assert_int_eq(
            pthread_create(&crowd[i], NULL, tell_much, &numbers[i]), 0);
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(crowd[i], NULL);
    ck_assert_int_eq(found_count(), 0);
    ck_assert(!weft_order_is_full_(graph));
    nest(5, 1, 2); /* never began */
    appear(5);
    nest(5, 2, 1);
    ck_assert_int_ge(found_count(), 1);
    ck_assert_int_eq(atomic_load_explicit(&news, memory_order_relaxed), 1);
    end_play();
}
END_TEST

/* Two in opposite order, at the same time: it is told once. */
static void *
take_across(void *arg)
{
    const int a = *(int *)arg;

    appear(a);
    for (int i = 0; i < TIMES; i++) {
        nest(a, a == 1 ? 1 : 2, a == 1 ? 2 : 1);
        weft_order_tells_(T(a), OBJECT(600 + a), NULL); /* told again */
    }
    return NULL;
}

START_TEST(test_two_who_close_a_cycle_tell_it_once)
{
    pthread_t pair[2];
    int numbers[2] = {1, 2};

    begin_graph();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            pthread_create(&pair[i], NULL, take_across, &numbers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(pair[i], NULL);
    ck_assert_int_eq(found_count(), 1);
    ck_assert_int_eq(atomic_load_explicit(&news, memory_order_relaxed), 1);
    end_play();
}
END_TEST

static _Atomic int handled;

/* Locks something by the engine's lights, and frees memory. */
static void
handle(int signal)
{
    (void)signal;
    const struct weft_dl_held wanted = {OBJECT(9), WEFT_KIND_MUTEX, {{9}}};
    weft_order_wants_(T(1), &wanted, NULL, 0);
    weft_order_posts_(T(1), OBJECT(700), 1);
    atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
}

static void *
tell_and_be_interrupted(void *arg)
{
    appear(1);
    for (int i = 0; atomic_load_explicit(&handled, memory_order_relaxed) < 200;
         i++) {
        nest(1, 1, 2 + i % 1000);
        weft_order_tells_(T(1), SHARED, NULL);
        weft_order_forgets_(graph, OBJECT(2 + i % 1000), 1);
    }
    return arg;
}

START_TEST(test_a_handler_may_interrupt_any_call)
{
    struct sigaction action = {.sa_handler = handle};
    pthread_t thread;
    int sent = 0;

    begin_graph();
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(
        pthread_create(&thread, NULL, tell_and_be_interrupted, NULL), 0);
    while (atomic_load_explicit(&handled, memory_order_relaxed) < 200) {
        if (atomic_load_explicit(&handled, memory_order_relaxed) >= sent)
            sent += pthread_kill(thread, SIGUSR1) == 0;
        sched_yield();
    }
    pthread_join(thread, NULL);
    end_play();
}
END_TEST

static void *
hold_the_lock(void *arg)
{
    appear(2);
    for (int i = 0;; i++) {
        nest(2, 1, 2 + i % 1000);
        weft_order_tells_(T(2), SHARED, NULL);
    }
    return arg;
}

/* In the child the lock of the graph may be taken for good. */
START_TEST(test_a_child_goes_on_without_the_graph_or_with_another)
{
    const struct weft_order_options options = {.map = map_for_test};
    pthread_t thread;
    int status;

    begin_graph();
    appear(1);
    ck_assert_int_eq(pthread_create(&thread, NULL, hold_the_lock, NULL), 0);
    for (int i = 0; i < 50; i++) {
        const pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            weft_order_after_fork_(graph);
            nest(1, 2, 1);
            if (found_count() != 0)
                _exit(1);
            graph = weft_order_create_(&options);
            actors[1].order = (struct weft_order_thread){0};
            actors[3].order = (struct weft_order_thread){0};
            appear(1);
            appear(3);
            nest(1, 2, 1);
            nest(3, 1, 2);
            _exit(found_count() == 1 ? 0 : 2);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    _exit(0); /* the other thread never ends */
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_threads_tell_at_the_same_time, 1},
        {&test_two_who_close_a_cycle_tell_it_once, 1},
        {&test_a_handler_may_interrupt_any_call, 1},
        {&test_a_child_goes_on_without_the_graph_or_with_another, 1},
    };

    return run_tests("deadlock_order_threads", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_fork.c - handlers of a fork that take locks, some of which run
 * in the child before the detector's own.
 */
#include <weft/deadlock.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadlock/watch.h"
#include "deadlocks.h"
#include "graphs.h"

static bool armed; /* forks of Check's do not count */
static void *graph;
static int handled;

/* Everything that may ask for a lock of the detector. */
static void
take_locks(void)
{
    static weft_semaphore semaphore;
    static weft_mutex inner[8]; /* another each time: so there is news */

    weft_mutex_init(&a);
    (void)!weft_semaphore_init(&semaphore, 0, WEFT_NO_MAX);
    a_then_b(NULL);
    weft_mutex_lock(&gate);
    weft_mutex_lock(&inner[handled]);
    weft_mutex_unlock(&inner[handled]);
    weft_mutex_unlock(&gate);
    handled++;
}

/* --- registered first: last before the fork, and first behind it ----------- */

/* As if a thread had it that is no more in the child. */
static void
stop_graph(void)
{
    if (!armed)
        return;
    take_locks();
    take_graph(graph);
}

static void
let_graph_go(void)
{
    if (!armed)
        return;
    give_graph_back(graph);
    take_locks();
}

static void
find_it_taken(void)
{
    if (armed)
        take_locks();
}

static void
register_first(int argc, char **argv, char **environment)
{
    (void)argc;
    (void)argv;
    (void)environment;
    if (pthread_atfork(stop_graph, let_graph_go, find_it_taken) != 0)
        abort();
}

/* Before the constructors of all libraries. */
__attribute__((section(".preinit_array"),
               used)) static void (*const first)(int, char **,
                                                 char **) = register_first;

/* --- registered last ------------------------------------------------------ */

static void
take_locks_too(void)
{
    if (armed)
        take_locks();
}

/* --- tests ---------------------------------------------------------------- */

static int
fork_and_look(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        armed = false;
        if (handled != 4 || is_held_up(graph))
            _exit(1);
        run_two(a_then_b, b_then_a);
        _exit(weft_deadlock_predicted() == 1 ? 0 : 2);
    }
    armed = false;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(test_handlers_of_a_fork_may_take_locks)
{
    enable();
    if (_i == 1)
        a_then_b(NULL); /* the thread is known */
    graph = weft_watch_graph_now_();
    ck_assert_ptr_nonnull(graph);
    ck_assert_int_eq(
        pthread_atfork(take_locks_too, take_locks_too, take_locks_too), 0);
    armed = true;
    ck_assert_int_eq(fork_and_look(), 0);
    ck_assert_int_eq(handled, 4);
    ck_assert(!is_held_up(graph));
    run_two(a_then_b, b_then_a);
    check(1);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_handlers_of_a_fork_may_take_locks, 2},
    };

    return run_tests("deadlock_fork", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}

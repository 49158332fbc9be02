/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool_exit.c - pools at the end of the process, and in a forked
 * child.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/asan.h"
#include "base/tsan.h"
#include "pools.h"
#include "testing.h"

/* What the child finds wrong, 0 for nothing. */
static int
look_as_child(weft_pool *p, weft_future *pending)
{
    weft_future *f = NULL;
    struct fib root = {.n = 5};
    weft_pool_stats stats;

    if (weft_pool_submit(p, return_arg, NULL, &f) != WEFT_CLOSED)
        return 1;
    if (weft_pool_run(p, &root.task, run_fib) != WEFT_CLOSED)
        return 2;
    if (weft_pool_shutdown(p, WEFT_FINISH, WEFT_FOREVER) != WEFT_CLOSED)
        return 3;
    if (weft_future_wait(pending, WEFT_FOREVER) != WEFT_CLOSED)
        return 4;
    weft_pool_get_stats(p, &stats);
    weft_pool_destroy(p);
    if (in_emulator())
        return 0; /* qemu-user 7.2 starts no threads in a child of threads */
/* ThreadSanitizer does not know a child's threads, and AddressSanitizer's malloc
 * may be locked there. */
#if !defined(WEFT_TSAN) && !defined(WEFT_ASAN)
    weft_pool *own;
    if (weft_pool_create(&own, NULL) != WEFT_OK)
        return 5;
    if (weft_pool_run(own, &root.task, run_fib) != WEFT_OK ||
        root.n != fib_of(5))
        return 6;
    if (weft_pool_default() == NULL || weft_pool_default() == p)
        return 7;
    weft_pool_destroy(own);
#endif
    return 0;
}

static void *
fork_child(void *box)
{
    const pid_t child = fork();
    int status;

    if (child == 0)
        _exit(look_as_child(((void **)box)[0], ((void **)box)[1]));
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        abort();
    return (void *)(size_t)WEXITSTATUS(status);
}

START_TEST(test_forked_child_gets_closed)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *promise;
    void *box[2] = {p, NULL};
    void *wrong = box;

    ck_assert_ptr_nonnull(weft_pool_default());
    ck_assert_int_eq(weft_future_create(&promise), WEFT_OK);
    box[1] = promise;
    ck_assert_uint_eq((size_t)fork_child(box), 0);
    ck_assert_int_eq(end_of(submit(p, fork_child, box), &wrong), WEFT_OK);
    ck_assert_uint_eq((size_t)wrong, 0);
    weft_future_release(promise);
    weft_pool_destroy(p);
}
END_TEST

static int pipe_ends[2];

static void
say(const char *letter)
{
    if (write(pipe_ends[1], letter, 1) != 1)
        abort();
}

static void *
say_task(void *letter)
{
    say(letter);
    return NULL;
}

static void *
exit_task(void *arg)
{
    (void)arg;
    exit(3);
}

/* Run `body` in a process of its own; what it said, and its status. */
static int
run_process(void (*body)(int form), int form, char *said, size_t room)
{
    int status;
    size_t n = 0;
    ssize_t got;

    ck_assert_int_eq(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        body(form);
        exit(0);
    }
    close(pipe_ends[1]);
    while ((got = read(pipe_ends[0], said + n, room - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(pipe_ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
exit_with_work(int form)
{
    static struct gate g;
    static weft_pool *p; /* never destroyed */

    p = open_pool(form, NULL);
    occupy(&g, p, weft_pool_workers(p));
    for (int i = 0; i < 5; i++)
        if (weft_pool_submit(p, say_task, "t", NULL) != WEFT_OK)
            abort();
    weft_event_set(&g.opened);
}

START_TEST(test_exit_lets_pools_finish)
{
    char said[16];

    ck_assert_int_eq(run_process(exit_with_work, _i, said, sizeof(said)), 0);
    ck_assert_str_eq(said, "ttttt");
}
END_TEST

static void
exit_in_task(int form)
{
    weft_pool *p = open_pool(form, NULL);

    if (weft_pool_submit(p, exit_task, NULL, NULL) != WEFT_OK)
        abort();
    for (;;)
        pause();
}

START_TEST(test_task_may_exit)
{
    char said[16];

    ck_assert_int_eq(run_process(exit_in_task, _i, said, sizeof(said)), 3);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_forked_child_gets_closed, POOLS},
        {&test_exit_lets_pools_finish, POOLS},
        {&test_task_may_exit, POOLS},
    };

    return run_tests("pool exit", tests, sizeof(tests) / sizeof(tests[0]), 30);
}

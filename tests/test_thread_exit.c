/* SPDX-License-Identifier: MIT */
/*
 * test_thread_exit.c - how a process ends: each case is this program, run again
 * with the name of a scene, whose letters on standard output tell the order.
 */
#include <weft/thread.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tsan.h"
#include "testing.h"
#include "thread/thread.h"
#include "tsan_options.h"

/* A handle that is still there at exit is what is tested here, and so is a
 * child whose main thread was left in the parent, with what it had. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void
say(const char *letter)
{
    if (write(STDOUT_FILENO, letter, 1) != 1)
        _exit(9);
}

static weft_thread *
start(weft_fn *fn, enum weft_daemon daemon)
{
    const weft_thread_options options = {.daemon = daemon};
    weft_thread *t;

    if (weft_thread_start(&t, fn, NULL, &options) != WEFT_OK)
        _exit(8);
    return t;
}

static void
in_atexit(void)
{
    say("a");
}

static void
in_hook(void)
{
    say("h");
}

static void
in_later_hook(void)
{
    say("g");
}

static _Atomic bool exiting;

static void
note_exiting(void)
{
    say("h");
    atomic_store_explicit(&exiting, true, memory_order_relaxed);
}

/* Ends only after main has begun to exit. */
static void *
end_after_exit_began(void *arg)
{
    while (!atomic_load_explicit(&exiting, memory_order_relaxed))
        sched_yield();
    say("t");
    return arg;
}

static void *
stay(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static pthread_barrier_t gate;

static void *
start_another_then_end(void *arg)
{
    while (!atomic_load_explicit(&exiting, memory_order_relaxed))
        sched_yield();
    weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_INHERIT));
    return arg;
}

static void *
call_exit(void *arg)
{
    pthread_barrier_wait(&gate);
    (void)arg;
    exit(3);
}

static void *
be_foreign_and_exit(void *arg)
{
    (void)arg;
    exit(4);
}

static void
scene_waits_for_threads(void)
{
    weft_at_exit_(note_exiting);
    weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_INHERIT));
    (void)start(end_after_exit_began, WEFT_DAEMON_NO);
}

static void
scene_abandons_daemons(void)
{
    weft_thread_release(start(stay, WEFT_DAEMON_YES));
    (void)start(stay, WEFT_DAEMON_YES);
}

static void
scene_order(void)
{
    weft_at_exit_(note_exiting); /* the last one goes first */
    weft_at_exit_(in_hook);
    weft_at_exit_(in_later_hook);
    atexit(in_atexit);
    weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_INHERIT));
}

static void
scene_exit_not_return(void)
{
    scene_order();
    exit(0);
}

static void
scene_threads_of_threads(void)
{
    weft_at_exit_(note_exiting);
    weft_thread_release(start(start_another_then_end, WEFT_DAEMON_INHERIT));
}

static void
scene_exit_in_a_thread(void)
{
    weft_at_exit_(note_exiting);
    atexit(in_atexit);
    weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_INHERIT));
    weft_thread *t = start(call_exit, WEFT_DAEMON_NO);
    pthread_barrier_wait(&gate);
    (void)!weft_thread_join(t, WEFT_FOREVER, NULL); /* it never ends */
    say("x");
}

static void
scene_exit_in_a_foreign_thread(void)
{
    pthread_t t;

    weft_at_exit_(note_exiting);
    weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_INHERIT));
    pthread_create(&t, NULL, be_foreign_and_exit, NULL);
    pthread_join(t, NULL);
}

static void *
exit_while_main_waits(void *arg)
{
    while (!atomic_load_explicit(&exiting, memory_order_relaxed))
        sched_yield();
    (void)arg;
    exit(0);
}

static void
scene_exit_twice(void)
{
    weft_at_exit_(note_exiting);
    weft_thread_release(start(exit_while_main_waits, WEFT_DAEMON_NO));
}

#ifndef WEFT_TSAN
static void
scene_main_leaves(void)
{
    weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_NO));
    atomic_store_explicit(&exiting, true, memory_order_relaxed);
    pthread_exit(NULL);
}

static void *
join_main_of_pthreads(void *arg)
{
    if (pthread_join(*(pthread_t *)arg, NULL) == 0)
        say("j");
    return NULL;
}

static void
scene_main_is_joined(void)
{
    static pthread_t main_thread;
    weft_thread *t;

    main_thread = pthread_self();
    if (weft_thread_start(&t, join_main_of_pthreads, &main_thread, NULL) !=
        WEFT_OK)
        _exit(8);
    weft_thread_release(t);
    pthread_exit(NULL);
}

#endif

static void
scene_quick(void)
{
    weft_at_exit_(in_hook);
    weft_thread_release(start(stay, WEFT_DAEMON_NO));
    quick_exit(0);
}

#ifndef WEFT_TSAN
/* A forked child waits for its own threads, not for the parent's. */
static void
scene_fork(void)
{
    int status;

    weft_thread *t = start(stay, WEFT_DAEMON_NO);
    const pid_t child = fork();
    if (child == 0) {
        weft_at_exit_(note_exiting);
        weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_NO));
        exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        _exit(7);
    pthread_cancel(weft_thread_self_(t)->pthread);
}

static void *
fork_in_thread(void *arg)
{
    int status;
    const pid_t child = fork();

    if (child == 0) {
        weft_at_exit_(in_hook);
        atomic_store_explicit(&exiting, true, memory_order_relaxed);
        weft_thread_release(start(end_after_exit_began, WEFT_DAEMON_NO));
        return arg; /* the process ends with the last of the two */
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        _exit(7);
    say("p");
    return arg;
}

static void
scene_fork_in_a_thread(void)
{
    weft_thread_release(start(fork_in_thread, WEFT_DAEMON_NO));
}
#endif

static const struct {
    const char *name;
    void (*play)(void);
    const char *letters;
    int status;
} scenes[] = {
    {"waits for threads", scene_waits_for_threads, "htt", 0},
    {"abandons daemons", scene_abandons_daemons, "", 0},
    {"order", scene_order, "ghhta", 0},
    {"exit, not return", scene_exit_not_return, "ghhta", 0},
    {"threads of threads", scene_threads_of_threads, "ht", 0},
    {"exit in a thread", scene_exit_in_a_thread, "aht", 3},
    {"exit in a foreign thread", scene_exit_in_a_foreign_thread, "ht", 4},
    {"exit twice", scene_exit_twice, "h", 0},
#ifndef WEFT_TSAN /* it does not know main to end, or to be joined */
    {"main leaves", scene_main_leaves, "t", 0},
    {"main is joined", scene_main_is_joined, "j", 0},
#endif
    {"quick", scene_quick, "", 0},
#ifndef WEFT_TSAN /* nor a child's threads */
    {"fork", scene_fork, "ht", 0},
    {"fork in a thread", scene_fork_in_a_thread, "thp", 0},
#endif
};

#define SCENES ((int)(sizeof(scenes) / sizeof(scenes[0])))

START_TEST(test_exit_waits_as_the_scene_says)
{
    int pipes[2];
    int status;
    char letters[16] = "";
    size_t n = 0;
    ssize_t got;

    ck_assert_int_eq(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        char name[64];
        snprintf(name, sizeof(name), "%s", scenes[_i].name);
        char *args[] = {(char[]){"scene"}, name, NULL};
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execv("/proc/self/exe", args);
        _exit(6);
    }
    close(pipes[1]);
    while ((got = read(pipes[0], letters + n, sizeof(letters) - 1 - n)) > 0)
        n += (size_t)got;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_str_eq(letters, scenes[_i].letters);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), scenes[_i].status);
}
END_TEST

int
main(int argc, char **argv)
{
    static const struct test tests[] = {
        {&test_exit_waits_as_the_scene_says, SCENES},
    };

    for (int i = 0; argc == 2 && i < SCENES; i++)
        if (strcmp(argv[1], scenes[i].name) == 0) {
            pthread_barrier_init(&gate, NULL, 2);
            scenes[i].play();
            return 0;
        }
    if (in_emulator()) {
        puts("left out: qemu-user does not run a program that execs itself");
        return 77;
    }
    return run_tests("thread_exit", tests, 1, 10);
}

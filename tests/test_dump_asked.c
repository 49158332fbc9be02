/* SPDX-License-Identifier: MIT */
/* How a dump is asked for, how it asks threads, and where it goes. */
#include <weft/dump.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/rmutex.h>

#include "dumping.h"
#include "testing.h"
#include "thread/stacks.h"
#include "thread/task.h"

static sem_t blocked;
static sem_t let_end;

static void *
block_all(void *arg)
{
    sigset_t all;

    pthread_setname_np(pthread_self(), "deaf");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    sem_post(&blocked);
    while (sem_wait(&let_end) != 0)
        continue;
    /* Nothing may be pending that would end the process now. */
    sigemptyset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return arg;
}

START_TEST(test_thread_that_blocks_the_signal_is_told_without_its_stack)
{
    sem_init(&blocked, 0, 0);
    sem_init(&let_end, 0, 0);
    const pthread_t t = start_thread(block_all, NULL);
    while (sem_wait(&blocked) != 0)
        continue;
    dump();
    ck_assert_contains(dump_stanza("deaf"),
                       "    no stack: it blocks the signal");
    sem_post(&let_end);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

START_TEST(test_signal_that_was_never_answered_does_not_end_the_process)
{
    struct weft_stack stack;

    sem_init(&blocked, 0, 0);
    sem_init(&let_end, 0, 0);
    const pthread_t t = start_thread(block_all, NULL);
    while (sem_wait(&blocked) != 0)
        continue;
    weft_reclaim_enter_();
    weft_reclaim_leave_();
    pid_t ids[8];
    const size_t n = weft_tasks_list_(ids, 8);
    ck_assert_uint_ge(n, 2);
    weft_stacks_begin_();
    for (size_t i = 0; i < n && i < 8; i++)
        if (ids[i] != getpid()) /* as if it had not blocked it yet */
            ck_assert_int_eq(weft_stacks_ask_(ids[i], 0, &stack), WEFT_SILENT);
    weft_stacks_end_();
    sem_post(&let_end); /* it lets all signals through */
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

START_TEST(test_signal_has_its_old_meaning_afterwards)
{
    struct sigaction now;
    const int n = weft_stacks_signal_();

    ck_assert_int_ge(n, SIGRTMIN);
    ck_assert_int_lt(n, SIGRTMAX);
    dump();
    ck_assert_int_eq(sigaction(n, NULL, &now), 0);
    ck_assert(now.sa_handler == SIG_DFL);
    ck_assert_int_eq(weft_stacks_signal_(), n);
}
END_TEST

static void
handle(int n)
{
    (void)n;
}

START_TEST(test_signal_that_the_program_uses_is_not_taken)
{
    const int n = weft_stacks_signal_();
    char wish[16];

    signal(n, handle);
    ck_assert_int_eq(weft_stacks_signal_(), n - 1);
    snprintf(wish, sizeof(wish), "%d", SIGRTMIN + 3);
    setenv("WEFT_STACK_SIGNAL", wish, 1);
    ck_assert_int_eq(weft_stacks_signal_(), SIGRTMIN + 3);
    snprintf(wish, sizeof(wish), "%d", n);
    setenv("WEFT_STACK_SIGNAL", wish, 1);
    ck_assert_int_eq(weft_stacks_signal_(), 0);
    setenv("WEFT_STACK_SIGNAL", "10", 1);
    ck_assert_int_eq(weft_stacks_signal_(), 0);
    begin_computing();
    dump();
    ck_assert_contains(dump_stanza("computer"),
                       "no stack: no real-time signal is free");
}
END_TEST

static weft_rmutex lost;
static int pipe_ends[2];
static _Atomic bool stop;

static void *
lose(void *arg)
{
    weft_rmutex_lock(&lost);
    return arg;
}

static void *
start_and_end(void *arg)
{
    while (!stop) {
        pthread_t t;
        if (pthread_create(&t, NULL, lose, NULL) != 0 ||
            pthread_join(t, NULL) != 0)
            abort();
        if (weft_rmutex_owner(&lost) == 0)
            abort();
        weft_rmutex_init(&lost);
    }
    return arg;
}

START_TEST(test_threads_may_start_and_end_during_a_dump)
{
    const pthread_t t = start_thread(start_and_end, NULL);

    for (int i = 0; i < 20; i++)
        dump();
    stop = true;
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

static void *
dump_nowhere(void *arg)
{
    const int fd = open("/dev/null", O_WRONLY);

    for (int i = 0; i < 5; i++)
        weft_thread_dump_stacks(fd);
    close(fd);
    return arg;
}

START_TEST(test_dumps_may_be_asked_for_by_several)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        t[i] = start_thread(dump_nowhere, NULL);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
}
END_TEST

START_TEST(test_dump_to_a_file_that_takes_nothing_ends)
{
    int ends[2];

    weft_thread_dump_stacks(-1);
    const int full = open("/dev/full", O_WRONLY);
    if (full >= 0)
        weft_thread_dump_stacks(full);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    weft_thread_dump_stacks(ends[1]); /* no SIGPIPE */
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], dump_text, 4096) > 0)
        continue;
    errno = 55;
    weft_thread_dump_stacks(ends[1]); /* nobody reads: it gives up */
    ck_assert_int_eq(errno, 55);
}
END_TEST

/* The linker sends the library's calls here; see the program's LDFLAGS. */
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);

static _Atomic bool little_at_a_time;
static _Atomic unsigned writes;

ssize_t
__wrap_write(int fd, const void *bytes, size_t n)
{
    const unsigned call =
        atomic_fetch_add_explicit(&writes, 1, memory_order_relaxed);

    if (!little_at_a_time)
        return __real_write(fd, bytes, n);
    if (call % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return __real_write(fd, bytes, n < 7 ? n : 7);
}

START_TEST(test_dump_goes_on_after_partial_and_interrupted_writes)
{
    little_at_a_time = true;
    dump();
    little_at_a_time = false;
    ck_assert_int_eq(strncmp(dump_text, "Weft: process ", 14), 0);
    ck_assert_contains(dump_text, "\n\nThread 1 ");
    ck_assert_contains(dump_text, "in the environment notes them.\n");
}
END_TEST

START_TEST(test_dump_takes_few_writes)
{
    writes = 0;
    dump();
    ck_assert_uint_le(writes, 2);
}
END_TEST

#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif

/* Once the main thread waits for room in the pipe. */
static void *
read_all(void *arg)
{
    size_t n = 0;
    ssize_t got;

    await_system_call(getpid(), SYS_poll);
    while ((got = read(pipe_ends[0], dump_text + n, 7)) > 0)
        n += (size_t)got;
    dump_text[n] = '\0';
    return arg;
}

START_TEST(test_dump_waits_for_a_pipe_that_is_full)
{
    static char junk[4096];

    ck_assert_int_eq(pipe2(pipe_ends, O_NONBLOCK), 0);
    fcntl(pipe_ends[0], F_SETFL, 0);
    fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096);
    memset(junk, '.', sizeof(junk));
    ck_assert_int_eq(write(pipe_ends[1], junk, sizeof(junk)), sizeof(junk));
    const pthread_t t = start_thread(read_all, NULL);
    weft_thread_dump_stacks(pipe_ends[1]);
    close(pipe_ends[1]);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_contains(dump_text, "...Weft: process ");
    ck_assert_contains(dump_text, "in the environment notes them.\n");
}
END_TEST

/* Waits for the file to have the end of a dump. */
static void
await_dump(int fd)
{
    ssize_t n;

    do {
        sched_yield();
        n = pread(fd, dump_text, DUMP_ROOM - 1, 0);
        ck_assert_int_ge(n, 0);
        dump_text[n] = '\0';
    } while (strstr(dump_text, "\n\nThread ") == NULL);
}

START_TEST(test_dump_on_signal_comes_from_a_thread_of_its_own)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    begin_deadlock();
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGQUIT, fd), WEFT_OK);
    ck_assert(weft_watching_());
    kill(getpid(), SIGQUIT);
    await_dump(fd);
    ck_assert_contains(dump_text,
                       "\n  DEADLOCK: thread 2 -> thread 3 -> thread 2");
    const int other = memfd_create("dump", MFD_CLOEXEC);
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGQUIT, other), WEFT_OK);
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGUSR1, other), WEFT_OK);
    raise(SIGUSR1);
    await_dump(other);
}
END_TEST

START_TEST(test_dump_on_a_bad_signal_or_file_is_invalid)
{
    static const int bad[] = {0,       -1,     65,     SIGKILL, SIGSTOP,
                              SIGSEGV, SIGBUS, SIGFPE, SIGILL,  32};
    const int reading = open("/dev/null", O_RDONLY);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(weft_thread_dump_on_signal(bad[i], 2), WEFT_INVALID);
    ck_assert_int_eq(weft_thread_dump_on_signal(weft_stacks_signal_(), 2),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGUSR1, -1), WEFT_INVALID);
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGUSR1, 1000), WEFT_INVALID);
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGUSR1, reading),
                     WEFT_INVALID);
    ck_assert(!weft_watching_());
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    ck_assert(now.sa_handler == SIG_DFL);
}
END_TEST

START_TEST(test_forked_child_has_no_dump_on_signal_and_can_dump)
{
    int status;

    ck_assert_int_eq(weft_thread_dump_on_signal(SIGUSR1, 2), WEFT_OK);
    const pid_t child = fork();
    if (child == 0) {
        struct sigaction now;
        sigaction(SIGUSR1, NULL, &now);
        const int null = open("/dev/null", O_WRONLY);
        weft_thread_dump_stacks(null);
        _exit(now.sa_handler == SIG_DFL ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(test_watching_begins_with_the_environment)
{
    char self[1024];
    int status;
    const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    ck_assert_int_gt(n, 0);
    self[n] = '\0';
    const pid_t child = fork();
    if (child == 0) {
        setenv("WEFT_WATCH", "1", 1);
        setenv("TEST_DUMP_ASKS", "1", 1);
        execl(self, self, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_thread_that_blocks_the_signal_is_told_without_its_stack, 1},
        {&test_signal_that_was_never_answered_does_not_end_the_process, 1},
        {&test_signal_has_its_old_meaning_afterwards, 1},
        {&test_signal_that_the_program_uses_is_not_taken, 1},
        {&test_threads_may_start_and_end_during_a_dump, 1},
        {&test_dumps_may_be_asked_for_by_several, 1},
        {&test_dump_to_a_file_that_takes_nothing_ends, 1},
        {&test_dump_goes_on_after_partial_and_interrupted_writes, 1},
        {&test_dump_takes_few_writes, 1},
        {&test_dump_waits_for_a_pipe_that_is_full, 1},
        {&test_dump_on_signal_comes_from_a_thread_of_its_own, 1},
        {&test_dump_on_a_bad_signal_or_file_is_invalid, 1},
        {&test_forked_child_has_no_dump_on_signal_and_can_dump, 1},
        {&test_watching_begins_with_the_environment, 1},
    };

    if (getenv("TEST_DUMP_ASKS") != NULL)
        return weft_watching_() ? 0 : 1;
    if (in_emulator()) {
        puts("left out: qemu-user 7.2 does not survive the copy of a process "
             "with threads that a dump makes to read symbols");
        return 77;
    }
    return run_tests("dump_asked", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

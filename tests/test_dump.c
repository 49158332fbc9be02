/* SPDX-License-Identifier: MIT */
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

#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/timer.h>

#include "base/self.h"
#include "base/tsan.h"
#include "config.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "thread/stacks.h"
#include "thread/task.h"

/* ThreadSanitizer keeps signals back from a thread that sleeps. */
#ifdef WEFT_TSAN
#define STACKS_COME false
#else
#define STACKS_COME true
#endif

#define ROOM (256 * 1024)

static char text[ROOM];

/* A dump into a file without a name, and from there into `text`. */
static void
dump(void)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    weft_thread_dump_stacks(fd);
    const ssize_t n = pread(fd, text, ROOM - 1, 0);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    close(fd);
}

/* Replace what differs from run to run by '~'. */
static void
mask(char *to, const char *from, size_t n)
{
    static const char *const before[] = {"0x", "native id ", "process ",
                                         "at most ", "system call "};

    for (const char *end = from + n; from < end;) {
        size_t found = 0;
        for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
            if (strncmp(from, before[i], strlen(before[i])) == 0)
                found = strlen(before[i]);
        if (found == 0) {
            *to++ = *from++;
            continue;
        }
        const bool all = *from == 's' || *from == 'p';
        memcpy(to, from, found);
        to += found;
        from += found;
        *to++ = '~';
        from += all ? strcspn(from, "\n") : strspn(from, "0123456789abcdef.");
    }
    *to = '\0';
}

/* What is said of the known threads without stacks, masked. */
static const char *
outline(void)
{
    static char lines[ROOM];
    static char masked[ROOM];
    char *to = lines;

    for (const char *line = text; *line != '\0';) {
        const size_t n = strcspn(line, "\n") + 1;
        if (strncmp(line, "\nThread \"", 9) == 0) /* it has no number */
            line += strcspn(line + 1, "\n") + 1;
        else if (strncmp(line, "    #", 5) != 0 &&
                 strncmp(line, "    no stack", 12) != 0) {
            memcpy(to, line, n);
            to += n;
        }
        line += n;
    }
    mask(masked, lines, (size_t)(to - lines));
    return masked;
}

/* What is said of the thread of that name; cut off from the rest. */
static const char *
stanza(const char *name)
{
    static char part[ROOM];
    char key[80];

    snprintf(key, sizeof(key), "\"%s\"", name);
    for (const char *at = text; (at = strstr(at, "\n\nThread ")) != NULL;) {
        at += 2;
        const char *end = strstr(at, "\n\n");
        const size_t n = end != NULL ? (size_t)(end - at) : strlen(at);
        memcpy(part, at, n);
        part[n] = '\0';
        if (strncmp(strchr(part, '"'), key, strlen(key)) == 0)
            return part;
    }
    return "";
}

#define ck_assert_contains(whole, part) \
    ck_assert_msg(strstr(whole, part) != NULL, "no '%s' in:\n%s", part, whole)

static pthread_t
start(void *(*run)(void *), void *arg)
{
    pthread_t t;

    ck_assert_int_eq(pthread_create(&t, NULL, run, arg), 0);
    return t;
}

static void
await_wait_for(const void *object, unsigned n)
{
    for (unsigned waiting = 0; waiting != n; sched_yield()) {
        waiting = 0;
        weft_reclaim_enter_();
        for (struct weft_self *s = weft_self_first_(); s != NULL;
             s = weft_self_next_(s))
            waiting += s->waits_for == object;
        weft_reclaim_leave_();
    }
}

/* Wait until another thread has said that it waits for one of that kind. */
static void
await_wait_for_kind(enum weft_kind kind)
{
    for (bool waits = false; !waits; sched_yield()) {
        weft_reclaim_enter_();
        for (struct weft_self *s = weft_self_first_(); s != NULL;
             s = weft_self_next_(s))
            waits = waits || (s->waits_for != NULL && s->waits_kind == kind);
        weft_reclaim_leave_();
    }
}

static void
await_system_call(pid_t id, int number)
{
    struct weft_task t;

    do {
        sched_yield();
        ck_assert(weft_task_read_(id, &t));
    } while (t.state != 'S' ||
             (t.system_call != number && t.system_call != -1));
}

/* Two threads, each with one mutex of the two. */
static weft_mutex mutexes[2];
static pthread_barrier_t both;

__attribute__((noinline)) static void
take_both(int mine)
{
    weft_mutex_lock(&mutexes[mine]);
    pthread_barrier_wait(&both);
    weft_mutex_lock(&mutexes[1 - mine]);
    abort();
}

static _Atomic bool left_is_known;

static void *
be_left(void *arg)
{
    pthread_setname_np(pthread_self(), "left");
    left_is_known = weft_self_id_() != 0;
    take_both(0);
    return arg;
}

static void *
be_right(void *arg)
{
    pthread_setname_np(pthread_self(), "right");
    take_both(1);
    return arg;
}

static void
begin_deadlock(void)
{
    pthread_barrier_init(&both, NULL, 2);
    start(be_left, NULL);
    while (!left_is_known) /* it is thread 2 */
        sched_yield();
    start(be_right, NULL);
    await_wait_for(&mutexes[0], 1);
    await_wait_for(&mutexes[1], 1);
}

START_TEST(test_dump_begins_with_who_waits_in_a_circle)
{
    pthread_setname_np(pthread_self(), "main");
    begin_deadlock();
    dump();
    ck_assert_str_eq(
        outline(),
        "Weft: process ~\n"
        "\n"
        "Who waits\n"
        "  thread 2 \"left\" waits for mutex 0x~ without a deadline, held by "
        "thread 3 \"right\"\n"
        "  thread 3 \"right\" waits for mutex 0x~ without a deadline, held by "
        "thread 2 \"left\"\n"
        "  DEADLOCK: thread 2 -> thread 3 -> thread 2: each waits for the "
        "next\n"
        "\n"
        "Thread 1 \"main\", native id ~: writes this\n"
        "\n"
        "Thread 2 \"left\", native id ~: waits for mutex 0x~ without a "
        "deadline, held by thread 3 \"right\"\n"
        "    holds mutex 0x~; waited for by thread 3 \"right\"\n"
        "\n"
        "Thread 3 \"right\", native id ~: waits for mutex 0x~ without a "
        "deadline, held by thread 2 \"left\"\n"
        "    holds mutex 0x~; waited for by thread 2 \"left\"\n"
        "\n"
        "Locks that nobody waits for are not listed: WEFT_WATCH=1 in the "
        "environment notes them.\n");
}
END_TEST

START_TEST(test_dump_shows_the_stack_of_a_thread_that_waits)
{
    begin_deadlock();
    dump();
    if (!STACKS_COME)
        return;
    ck_assert_contains(stanza("left"), " take_both");
    ck_assert_contains(stanza("left"), " be_left");
    ck_assert_contains(stanza("left"), "weft_mutex_lock");
    ck_assert_contains(stanza("right"), " take_both");
    ck_assert_contains(stanza("right"), " be_right");
    ck_assert_ptr_null(strstr(stanza("right"), "answer"));
#ifdef HAVE_LIBDW
    ck_assert_contains(stanza("left"), "test_dump.c:");
#endif
}
END_TEST

static weft_rmutex lost;

static void *
lose(void *arg)
{
    weft_rmutex_lock(&lost);
    return arg;
}

static void *
want_lost(void *arg)
{
    const enum weft_status s = weft_rmutex_lock_until(&lost, weft_in_s(1000));

    if (s == WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_says_that_the_owner_has_ended)
{
    pthread_join(start(lose, NULL), NULL);
    start(want_lost, NULL);
    await_wait_for(&lost, 1);
    dump();
    ck_assert_contains(outline(), "waits for rmutex 0x~ for at most ~ s more, "
                                  "held by thread 2, which has ended\n");
    ck_assert_contains(outline(),
                       "  LOST: rmutex 0x~ was held by thread 2 when that "
                       "ended; nobody can unlock it\n");
    ck_assert_ptr_null(strstr(text, "DEADLOCK"));
}
END_TEST

static void
run_never(void *arg)
{
    (void)arg;
}

static void *
join_timer(void *arg)
{
    if (weft_timer_join(arg, weft_in_s(1000)) == WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_says_until_when_a_thread_waits)
{
    weft_timer *t;

    ck_assert_int_eq(weft_timer_start(&t, WEFT_FOREVER, run_never, NULL),
                     WEFT_OK);
    start(join_timer, t);
    await_wait_for(t, 1);
    dump();
    ck_assert_contains(outline(), "waits for timer 0x~ for at most ~ s more\n");
    double left = 0;
    ck_assert_int_eq(sscanf(strstr(text, "at most "), "at most %lf s", &left),
                     1);
    ck_assert(left > 0 && left <= 1000);
    if (STACKS_COME)
        ck_assert_contains(stanza("weft-timer"), "weft_park_wait_");
}
END_TEST

static int pipe_ends[2];
static _Atomic pid_t reader;
static _Atomic pid_t computer;

static void *
read_pipe(void *arg)
{
    char c;

    pthread_setname_np(pthread_self(), "reader");
    atomic_store_explicit(&reader, (pid_t)syscall(SYS_gettid),
                          memory_order_relaxed);
    while (read(pipe_ends[0], &c, 1) == -1 && errno == EINTR)
        continue;
    return arg;
}

__attribute__((noinline)) static void
compute(void)
{
    while (atomic_load_explicit(&computer, memory_order_relaxed) != 0)
        continue;
}

static void *
run_compute(void *arg)
{
    pthread_setname_np(pthread_self(), "computer");
    weft_self_id_();
    atomic_store_explicit(&computer, (pid_t)syscall(SYS_gettid),
                          memory_order_relaxed);
    compute();
    return arg;
}

START_TEST(test_dump_shows_who_sleeps_in_the_kernel_and_who_computes)
{
    ck_assert_int_eq(pipe(pipe_ends), 0);
    const pthread_t a = start(read_pipe, NULL);
    const pthread_t b = start(run_compute, NULL);
    while (reader == 0 || computer == 0)
        sched_yield();
    await_system_call(reader, SYS_read);
    dump();
    ck_assert_contains(stanza("reader"), "not known to Weft");
    ck_assert_contains(stanza("reader"), "sleeps in the kernel");
    ck_assert_contains(stanza("computer"), "Thread 2 ");
    ck_assert_contains(stanza("computer"), ": runs\n");
    if (STACKS_COME) {
        ck_assert_contains(stanza("reader"), "read_pipe");
        ck_assert_contains(stanza("computer"), "compute");
    }
    /* The read went on sleeping, and the loop computing. */
    ck_assert_int_eq(write(pipe_ends[1], "x", 1), 1);
    computer = 0;
    ck_assert_int_eq(pthread_join(a, NULL), 0);
    ck_assert_int_eq(pthread_join(b, NULL), 0);
}
END_TEST

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
    const pthread_t t = start(block_all, NULL);
    while (sem_wait(&blocked) != 0)
        continue;
    dump();
    ck_assert_contains(stanza("deaf"), "    no stack: it blocks the signal");
    sem_post(&let_end);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

START_TEST(test_signal_that_was_never_answered_does_not_end_the_process)
{
    struct weft_stack stack;

    sem_init(&blocked, 0, 0);
    sem_init(&let_end, 0, 0);
    const pthread_t t = start(block_all, NULL);
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
    start(run_compute, NULL);
    while (computer == 0)
        sched_yield();
    dump();
    ck_assert_contains(stanza("computer"),
                       "no stack: no real-time signal is free");
}
END_TEST

START_TEST(test_dump_lists_held_locks_while_watching)
{
    static weft_mutex m;
    static weft_rmutex r;

    weft_watch_enable_(true);
    weft_mutex_lock(&m);
    weft_rmutex_lock(&r);
    dump();
    weft_watch_enable_(false);
    ck_assert_contains(outline(), ": writes this\n    holds mutex 0x~\n"
                                  "    holds rmutex 0x~\n");
    ck_assert_ptr_null(strstr(text, "WEFT_WATCH"));
    weft_rmutex_unlock(&r);
    weft_mutex_unlock(&m);
}
END_TEST

static weft_rwlock rwlock;
static weft_once once;

static void *
want_to_read(void *arg)
{
    if (weft_rwlock_read_lock(&rwlock) != WEFT_OK)
        abort();
    return arg;
}

static void *
want_to_write(void *arg)
{
    if (weft_rwlock_write_lock(&rwlock) != WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_names_the_writer_and_while_watching_the_readers)
{
    pthread_setname_np(pthread_self(), "main");
    ck_assert_int_eq(weft_rwlock_write_lock(&rwlock), WEFT_OK);
    const pthread_t reader_thread = start(want_to_read, NULL);
    await_wait_for_kind(WEFT_KIND_READ);
    dump();
    ck_assert_contains(outline(), " waits for rwlock (to read) 0x~ without a "
                                  "deadline, held by thread 1 \"main\"\n");
    ck_assert_int_eq(weft_rwlock_write_unlock(&rwlock), WEFT_OK);
    ck_assert_int_eq(pthread_join(reader_thread, NULL), 0);

    weft_rwlock_init(&rwlock);
    weft_watch_enable_(true);
    ck_assert_int_eq(weft_rwlock_read_lock(&rwlock), WEFT_OK);
    start(want_to_write, NULL);
    await_wait_for_kind(WEFT_KIND_WRITE);
    dump();
    ck_assert_contains(outline(), " waits for rwlock (to write) 0x~ without a "
                                  "deadline, held by thread 1 \"main\"\n");
}
END_TEST

static enum weft_status
dump_inside(void *ctx)
{
    start(*(void *(**)(void *))ctx, NULL);
    await_wait_for_kind(WEFT_KIND_ONCE);
    dump();
    return WEFT_OK;
}

static void *
want_once(void *arg)
{
    if (weft_once_run(&once, dump_inside, NULL) != WEFT_OK)
        abort();
    return arg;
}

START_TEST(test_dump_names_who_runs_a_once)
{
    void *(*other)(void *) = want_once;

    pthread_setname_np(pthread_self(), "main");
    ck_assert_int_eq(weft_once_run(&once, dump_inside, &other), WEFT_OK);
    ck_assert_contains(outline(), " waits for once 0x~ without a deadline, "
                                  "held by thread 1 \"main\"\n");
}
END_TEST

static _Atomic bool stop;

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
    const pthread_t t = start(start_and_end, NULL);

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
        t[i] = start(dump_nowhere, NULL);
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
    while (write(ends[1], text, 4096) > 0)
        continue;
    errno = 55;
    weft_thread_dump_stacks(ends[1]); /* nobody reads: it gives up */
    ck_assert_int_eq(errno, 55);
}
END_TEST

static void *
read_slowly(void *arg)
{
    size_t n = 0;
    ssize_t got;

    while ((got = read(pipe_ends[0], text + n, 7)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    return arg;
}

START_TEST(test_dump_goes_on_after_partial_writes)
{
    ck_assert_int_eq(pipe2(pipe_ends, O_NONBLOCK), 0);
    fcntl(pipe_ends[0], F_SETFL, 0);
    fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096);
    char junk[4000] = {0};
    ck_assert_int_eq(write(pipe_ends[1], junk, sizeof(junk)), sizeof(junk));
    const pthread_t t = start(read_slowly, NULL);
    weft_thread_dump_stacks(pipe_ends[1]);
    close(pipe_ends[1]);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    memmove(text, text + sizeof(junk), ROOM - sizeof(junk));
    ck_assert_contains(text, "Weft: process ");
    ck_assert_contains(text, "in the environment notes them.\n");
}
END_TEST

/* Waits for the file to have the end of a dump. */
static void
await_dump(int fd)
{
    ssize_t n;

    do {
        sched_yield();
        n = pread(fd, text, ROOM - 1, 0);
        ck_assert_int_ge(n, 0);
        text[n] = '\0';
    } while (strstr(text, "\n\nThread ") == NULL);
}

START_TEST(test_dump_on_signal_comes_from_a_thread_of_its_own)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    begin_deadlock();
    ck_assert_int_eq(weft_thread_dump_on_signal(SIGQUIT, fd), WEFT_OK);
    ck_assert(weft_watching_());
    kill(getpid(), SIGQUIT);
    await_dump(fd);
    ck_assert_contains(text, "\n  DEADLOCK: thread 2 -> thread 3 -> thread 2");
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
        {&test_dump_begins_with_who_waits_in_a_circle, 1},
        {&test_dump_shows_the_stack_of_a_thread_that_waits, 1},
        {&test_dump_says_that_the_owner_has_ended, 1},
        {&test_dump_says_until_when_a_thread_waits, 1},
        {&test_dump_shows_who_sleeps_in_the_kernel_and_who_computes, 1},
        {&test_thread_that_blocks_the_signal_is_told_without_its_stack, 1},
        {&test_signal_that_was_never_answered_does_not_end_the_process, 1},
        {&test_signal_has_its_old_meaning_afterwards, 1},
        {&test_signal_that_the_program_uses_is_not_taken, 1},
        {&test_dump_lists_held_locks_while_watching, 1},
        {&test_dump_names_the_writer_and_while_watching_the_readers, 1},
        {&test_dump_names_who_runs_a_once, 1},
        {&test_threads_may_start_and_end_during_a_dump, 1},
        {&test_dumps_may_be_asked_for_by_several, 1},
        {&test_dump_to_a_file_that_takes_nothing_ends, 1},
        {&test_dump_goes_on_after_partial_writes, 1},
        {&test_dump_on_signal_comes_from_a_thread_of_its_own, 1},
        {&test_dump_on_a_bad_signal_or_file_is_invalid, 1},
        {&test_forked_child_has_no_dump_on_signal_and_can_dump, 1},
        {&test_watching_begins_with_the_environment, 1},
    };

    if (getenv("TEST_DUMP_ASKS") != NULL)
        return weft_watching_() ? 0 : 1;
    return run_tests("dump", tests, sizeof(tests) / sizeof(tests[0]), 60);
}

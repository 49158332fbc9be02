/* SPDX-License-Identifier: MIT */
#include "dumping.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/dump.h>

#include "base/self.h"
#include "testing.h"
#include "thread/task.h"

char dump_text[DUMP_ROOM];

void
dump(void)
{
    const int fd = memfd_create("dump", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    weft_thread_dump_stacks(fd);
    const ssize_t n = pread(fd, dump_text, DUMP_ROOM - 1, 0);
    ck_assert_int_gt(n, 0);
    dump_text[n] = '\0';
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

const char *
dump_outline(void)
{
    static char lines[DUMP_ROOM];
    static char masked[DUMP_ROOM];
    char *to = lines;

    for (const char *line = dump_text; *line != '\0';) {
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

const char *
dump_stanza(const char *name)
{
    static char part[DUMP_ROOM];
    char key[80];

    snprintf(key, sizeof(key), "\"%s\"", name);
    for (const char *at = dump_text;
         (at = strstr(at, "\n\nThread ")) != NULL;) {
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

pthread_t
start_thread(void *(*run)(void *), void *arg)
{
    pthread_t t;

    ck_assert_int_eq(pthread_create(&t, NULL, run, arg), 0);
    return t;
}

void
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

void
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

void
await_system_call(pid_t id, int number)
{
    struct weft_task t;

    do {
        sched_yield();
        ck_assert(weft_task_read_(id, &t));
    } while (t.state != 'S' ||
             (t.system_call != number && t.system_call != -1));
}

weft_mutex dump_mutexes[2];
static pthread_barrier_t both;

__attribute__((noinline)) static void
take_both(int mine, weft_deadline deadline)
{
    weft_mutex_lock(&dump_mutexes[mine]);
    pthread_barrier_wait(&both);
    if (weft_mutex_lock_until(&dump_mutexes[1 - mine], deadline) == WEFT_OK)
        abort();
}

static _Atomic bool left_is_known;

static void *
be_left(void *arg)
{
    pthread_setname_np(pthread_self(), "left");
    left_is_known = weft_self_id_() != 0;
    take_both(0, WEFT_FOREVER);
    return arg;
}

static void *
be_right(void *arg)
{
    pthread_setname_np(pthread_self(), "right");
    take_both(1, *(weft_deadline *)arg);
    return arg;
}

void
begin_circle(weft_deadline right_until)
{
    static weft_deadline until;

    until = right_until;
    pthread_barrier_init(&both, NULL, 2);
    start_thread(be_left, NULL);
    while (!left_is_known) /* it is thread 2 */
        sched_yield();
    start_thread(be_right, &until);
    await_wait_for(&dump_mutexes[0], 1);
    await_wait_for(&dump_mutexes[1], 1);
}

void
begin_deadlock(void)
{
    begin_circle(WEFT_FOREVER);
}

_Atomic pid_t computer;

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

pthread_t
begin_computing(void)
{
    const pthread_t t = start_thread(run_compute, NULL);

    while (computer == 0)
        sched_yield();
    return t;
}

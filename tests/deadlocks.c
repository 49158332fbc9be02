/* SPDX-License-Identifier: MIT */
#include "deadlocks.h"

#include <weft/deadlock.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

weft_mutex a;
weft_mutex b;
weft_mutex gate;
weft_thread *runners[2];
static int messages = -1; /* what goes to stderr */

void
listen_to_stderr(void)
{
    messages = memfd_create("stderr", 0);
    ck_assert_int_ge(messages, 0);
    ck_assert_int_eq(dup2(messages, STDERR_FILENO), STDERR_FILENO);
}

static bool
has(int fd, const char *text)
{
    static char all[65536];
    const ssize_t n = pread(fd, all, sizeof(all) - 1, 0);

    all[n > 0 ? n : 0] = '\0';
    return strstr(all, text) != NULL;
}

bool
has_said(const char *text)
{
    return has(messages, text);
}

void
forget_what_was_said(void)
{
    ck_assert_int_eq(ftruncate(messages, 0), 0);
    ck_assert_int_eq(lseek(messages, 0, SEEK_SET),
                     0); /* else zeros come first */
}

bool
file_has(const char *path, const char *text)
{
    const int fd = open(path, O_RDONLY);
    const bool found = fd >= 0 && has(fd, text);

    close(fd);
    return found;
}

/* Also where no test runs, so nothing of Check. */
weft_thread *
start(weft_fn *fn, void *arg)
{
    const weft_thread_options options = {.daemon = WEFT_DAEMON_YES};
    weft_thread *t;

    if (weft_thread_start(&t, fn, arg, &options) != WEFT_OK)
        abort();
    return t;
}

void *
join(weft_thread *t)
{
    void *result = NULL;

    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    weft_thread_release(t);
    return result;
}

void *
as_pointer(enum weft_status s)
{
    return (void *)(uintptr_t)s;
}

void *
lock_a(void *unused)
{
    const enum weft_status s = weft_mutex_lock(&a);

    (void)unused;
    if (s == WEFT_OK)
        weft_mutex_unlock(&a);
    return as_pointer(s);
}

void *
lock_b_then_a(void *unused)
{
    weft_mutex_lock(&b);
    void *s = lock_a(unused);
    weft_mutex_unlock(&b);
    return s;
}

void
enable(void)
{
    listen_to_stderr();
    ck_assert_int_eq(weft_deadlock_enable(WEFT_DEADLOCK_REPORT), WEFT_OK);
}

void
check(size_t predicted)
{
    ck_assert_uint_eq(weft_deadlock_predicted(), predicted);
    ck_assert_uint_eq(weft_deadlock_count(), 0);
    ck_assert(has_said("weft") == (predicted > 0));
}

void *
a_then_b(void *unused)
{
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    weft_mutex_unlock(&b);
    weft_mutex_unlock(&a);
    return unused;
}

void *
b_then_a(void *unused)
{
    weft_mutex_lock(&b);
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    weft_mutex_unlock(&b);
    return unused;
}

void *
gate_a_then_b(void *unused)
{
    weft_mutex_lock(&gate);
    a_then_b(NULL);
    weft_mutex_unlock(&gate);
    return unused;
}

void *
gate_b_then_a(void *unused)
{
    weft_mutex_lock(&gate);
    b_then_a(NULL);
    weft_mutex_unlock(&gate);
    return unused;
}

static weft_fn *bodies[2];
static atomic_int turn;

static void *
run_in_turn(void *which)
{
    const int i = (int)(uintptr_t)which;

    while (atomic_load(&turn) != i)
        sched_yield();
    void *result = bodies[i](NULL);
    atomic_store(&turn, i + 1);
    return result;
}

void
run_two(weft_fn *first, weft_fn *second)
{
    atomic_store(&turn, 0);
    bodies[0] = first;
    bodies[1] = second;
    for (int i = 0; i < 2; i++)
        runners[i] = start(run_in_turn, (void *)(uintptr_t)i);
    for (int i = 0; i < 2; i++) { /* also where no test runs */
        if (weft_thread_join(runners[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
        weft_thread_release(runners[i]);
    }
}

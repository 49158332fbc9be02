/* SPDX-License-Identifier: MIT */
/*
 * asleep.c - what the system says of threads that may be stuck.
 *
 * A thread may have been woken already and not have run yet.  So where it is
 * not certain that nobody can wake it, it has to sleep in the eyes of the
 * system, and to have slept since.
 */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "thread/task.h"
#include "thread/waits.h"

#define TASKS 1024

/* Signals whose handlers wake nobody: those of a program's own mistakes, and
 * the two of the C library. */
static const int harmless[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
                               SIGABRT, SIGSYS, 32,     33};

static bool
has_handlers(uint64_t caught)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        caught &= ~(UINT64_C(1) << (harmless[i] - 1));
    return caught != 0;
}

static bool
is_listed(const struct weft_waits *w, int64_t native_id)
{
    for (uint32_t i = 0; i < w->picture.count; i++)
        if (w->tasks[i].native_id == native_id)
            return true;
    return false;
}

/* Whether a thread of the library's that never wakes anybody. */
static bool
is_own(pid_t id)
{
    struct weft_task t;

    return !weft_task_read_state_(id, &t) || strcmp(t.name, "weft-dump") == 0 ||
           strcmp(t.name, "weft-reclaim") == 0;
}

/* Whether there are threads that are not in the picture. */
static bool
are_strangers(const struct weft_waits *w)
{
    static pid_t ids[TASKS];
    const size_t n = weft_tasks_list_(ids, TASKS);

    if (n > TASKS)
        return true;
    for (size_t i = 0; i < n; i++)
        if (!is_listed(w, ids[i]) && !is_own(ids[i]))
            return true;
    return false;
}

bool
weft_waits_are_asleep_(struct weft_waits *w, const void *word,
                       uint32_t expected)
{
    const pid_t me = (pid_t)syscall(SYS_gettid);
    struct weft_task t;

    if (!weft_task_read_state_(me, &t) || has_handlers(t.caught) ||
        are_strangers(w))
        return false;
    for (uint32_t i = 0; i < w->picture.count; i++) {
        struct weft_waits_task *task = &w->tasks[i];
        if (!w->picture.threads[i].stuck || task->native_id == me)
            continue;
        if (!weft_task_read_state_((pid_t)task->native_id, &t) ||
            t.state != 'S')
            return false;
        task->switches = t.switches + 1;
    }
    return atomic_load_explicit((const _Atomic uint32_t *)word,
                                memory_order_relaxed) == expected;
}

static bool
is_same(const struct weft_waits *b, const struct weft_waits_task *t)
{
    for (uint32_t i = 0; i < b->picture.count; i++)
        if (b->tasks[i].native_id == t->native_id)
            return b->tasks[i].switches == t->switches;
    return false;
}

bool
weft_waits_slept_on_(const struct weft_waits *a, const struct weft_waits *b)
{
    for (uint32_t i = 0; i < a->picture.count; i++)
        if (a->picture.threads[i].stuck && !is_same(b, &a->tasks[i]))
            return false;
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - all threads: those of the registry, then those that the kernel
 * knows beside them.
 *
 * Each record is copied while base/reclaim.h keeps it.  The threads go on
 * meanwhile, so what is told of two of them may be of two moments.  A wait that
 * is the same before and after all stacks were taken has lasted all the time in
 * between, whatever else was going on: a circle of such waits is real.
 *
 * Ordering.  Relaxed words only: each is believed by itself.
 */
#include "thread/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/name.h"
#include "base/symbol.h"
#include "thread/thread.h"

#define SPARE 64 /* threads that may start between counting and looking */

static struct weft_snapshot *
make_room(size_t room)
{
    const size_t bytes =
        sizeof(struct weft_snapshot) + room * sizeof(struct weft_view);
    struct weft_snapshot *s = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    s->bytes = bytes;
    s->room = room;
    return s;
}

void
weft_snapshot_free_(struct weft_snapshot *s)
{
    if (s != NULL)
        munmap(s, s->bytes);
}

static struct weft_view *
add(struct weft_snapshot *s)
{
    if (s->count == s->room) {
        s->cut = true;
        return NULL;
    }
    return &s->list[s->count++];
}

static void
copy_wait(struct weft_view *v, const struct weft_self *r)
{
    const uint64_t n = atomic_load_explicit(&r->waits, memory_order_relaxed);

    v->waits_for.object =
        atomic_load_explicit(&r->waits_for, memory_order_relaxed);
    v->waits_for.kind = (enum weft_kind)atomic_load_explicit(
        &r->waits_kind, memory_order_relaxed);
    v->waits_until =
        atomic_load_explicit(&r->waits_until, memory_order_relaxed);
    v->waits = atomic_load_explicit(&r->waits, memory_order_relaxed);
    if (n % 2 == 0 || n != v->waits) /* it does not wait, or no longer */
        v->waits_for.object = NULL;
}

static void
copy_held(struct weft_view *v, const struct weft_self *r)
{
    v->held_count = atomic_load_explicit(&r->held_count, memory_order_relaxed);
    for (uint32_t i = 0; i < v->held_count && i < WEFT_HELD_MAX; i++) {
        v->held[i].object =
            atomic_load_explicit(&r->held[i].object, memory_order_relaxed);
        v->held[i].kind = (enum weft_kind)atomic_load_explicit(
            &r->held[i].kind, memory_order_relaxed);
    }
}

/* A name that was never asked for or set is not there yet; the kernel's does,
 * and no lock is taken here. */
static void
copy_name(struct weft_view *v, struct weft_self *r)
{
    if (atomic_load_explicit(&r->name, memory_order_relaxed) != NULL)
        weft_symbol_copy_(v->name, sizeof(v->name), weft_name_get_(r));
    v->is_daemon = weft_thread_of_(r)->daemon;
}

static void
copy_known(struct weft_snapshot *s)
{
    weft_reclaim_enter_();
    for (struct weft_self *r = weft_self_first_(); r != NULL;
         r = weft_self_next_(r)) {
        struct weft_view *v = add(s);
        if (v == NULL)
            break;
        v->id = r->id;
        v->native_id =
            (pid_t)atomic_load_explicit(&r->native_id, memory_order_relaxed);
        copy_name(v, r);
        copy_wait(v, r);
        copy_held(v, r);
    }
    weft_reclaim_leave_();
}

static struct weft_view *
find_native(struct weft_snapshot *s, pid_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].native_id == id)
            return &s->list[i];
    return NULL;
}

static struct weft_view *
find_id(struct weft_snapshot *s, uint64_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].id == id)
            return &s->list[i];
    return NULL;
}

static void
add_unknown(struct weft_snapshot *s, const pid_t *tasks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (find_native(s, tasks[i]) != NULL)
            continue;
        struct weft_view *v = add(s);
        if (v == NULL)
            break;
        v->native_id = tasks[i];
    }
}

/* What the kernel says comes first: our signal wakes the thread. */
static void
ask(struct weft_view *v, const struct weft_stack *own)
{
    v->is_caller = v->native_id == (pid_t)syscall(SYS_gettid);
    v->answer = WEFT_GONE;
    if (v->native_id == 0 || !weft_task_read_(v->native_id, &v->task))
        return;
    if (v->name[0] == '\0')
        memcpy(v->name, v->task.name, sizeof(v->task.name));
    if (v->is_caller) {
        v->answer = WEFT_ANSWERED;
        v->stack = *own;
    } else {
        v->answer = weft_stacks_ask_(v->native_id, v->task.blocked, &v->stack);
    }
}

/* Which waits are the same as before the stacks. */
static void
look_again(struct weft_snapshot *s)
{
    weft_reclaim_enter_();
    for (const struct weft_self *r = weft_self_first_(); r != NULL;
         r = weft_self_next_(r)) {
        struct weft_view *v = find_id(s, r->id);
        if (v != NULL && v->waits_for.object != NULL)
            v->waits_still = atomic_load_explicit(
                                 &r->waits, memory_order_relaxed) == v->waits;
    }
    weft_reclaim_leave_();
}

static void
find_owners(struct weft_snapshot *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct weft_view *v = &s->list[i];
        if (v->waits_for.object == NULL)
            continue;
        v->owner = weft_owner_of_(v->waits_for);
        if (v->owner != 0)
            v->owner_view = find_id(s, v->owner);
    }
}

struct weft_snapshot *
weft_snapshot_take_(const struct weft_stack *own)
{
    pid_t few[1];
    const size_t room = weft_tasks_list_(few, 0) + SPARE;
    const size_t bytes = room * sizeof(pid_t);
    struct weft_snapshot *s = make_room(room);

    if (s == NULL)
        return NULL;
    pid_t *tasks = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (tasks == MAP_FAILED) {
        weft_snapshot_free_(s);
        return NULL;
    }
    copy_known(s);
    const size_t n = weft_tasks_list_(tasks, room);
    add_unknown(s, tasks, n < room ? n : room);
    munmap(tasks, bytes);

    weft_stacks_begin_();
    for (size_t i = 0; i < s->count; i++)
        ask(&s->list[i], own);
    weft_stacks_end_();
    find_owners(s);
    look_again(s);
    return s;
}

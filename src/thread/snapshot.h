/* SPDX-License-Identifier: MIT */
/*
 * thread/snapshot.h - what is known of all threads at about one moment.
 *
 *   shape      one mapping, so that nothing here needs malloc; copies only, so
 *              that threads may end and objects go meanwhile
 */
#ifndef WEFT_THREAD_SNAPSHOT_H
#define WEFT_THREAD_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/deadline.h>

#include "base/self.h"
#include "deadlock/watch.h"
#include "thread/stacks.h"
#include "thread/task.h"

struct weft_lock_view {
    const void *object;
    enum weft_kind kind;
};

/* One thread. */
struct weft_view {
    uint64_t id;     /* 0: it never called Weft */
    pid_t native_id; /* 0: it has not begun to run */
    bool is_caller;
    bool is_daemon;
    char name[64];
    struct weft_task task;

    /* What it waits for. */
    struct weft_lock_view waits_for; /* object NULL: nothing */
    weft_deadline waits_until;
    uint64_t waits;   /* as in its record */
    bool waits_still; /* the same wait after the stacks were taken */
    uint64_t owner;   /* who has what it waits for; 0: nobody known */
    const struct weft_view *owner_view; /* NULL: it has ended */

    /* What it holds, as its record says. */
    uint32_t held_count; /* may pass WEFT_HELD_MAX */
    struct weft_lock_view held[WEFT_HELD_MAX];

    enum weft_answer answer;
    struct weft_stack stack;
};

struct weft_snapshot {
    size_t bytes;
    size_t room;
    size_t count;
    bool cut; /* there were more threads */
    struct weft_view list[];
};

/*
 * Look at all threads, their stacks included.
 *
 *   own        the calling thread's stack
 *   returns    NULL if there is no memory
 *   requires   one thread at a time
 */
struct weft_snapshot *weft_snapshot_take_(const struct weft_stack *own);

/* Free it; NULL is fine. */
void weft_snapshot_free_(struct weft_snapshot *s);

/*
 * Return the id of the thread that has `object`, as far as its kind knows one;
 * 0: nobody, or it cannot be known.
 *
 *   object     may be gone: it is read by a call that can fail
 */
uint64_t weft_owner_of_(struct weft_lock_view lock);

/* The same as the tag of a thread; for a lock or a once. */
uint32_t weft_owner_tag_of_(struct weft_lock_view lock);

/* Return the id of a thread by its handle, which may be gone: 0. */
uint64_t weft_joined_id_of_(const void *thread);

/* Whether readers that sleep in front of the lock wait for a writer that waits,
 * or that waits for those inside. */
bool weft_readers_are_shut_out_(const void *rwlock);

#endif /* WEFT_THREAD_SNAPSHOT_H */

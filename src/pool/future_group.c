/* SPDX-License-Identifier: MIT */
/*
 * future_group.c - waiting for several futures.
 *
 * A thread puts a watcher to each, and waits for one future of its own, the
 * gate, which the watchers finish when there is what it waits for.  So there is
 * one way to wait, and a task of a pool that waits for several runs other work
 * as one that waits for one.
 *
 * The gate and the watchers lie in the frame of the thread that waits, or in a
 * block of its own.  A watcher is notified with the lock of its future; so when
 * all are taken back, nobody touches them or the gate any more.
 *
 * Ordering.  `done` and `failed` are counts of what was notified so far, and
 * the notifier that brings one to what is waited for sees that by its own
 * addition: they carry no data.  The futures and the gate carry what there is.
 */
#include "pool/future_group.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/park.h"
#include "deadlock/watch.h"

/* As many are waited for without an allocation. */
#define SOME 16

static int
by_future(const void *a, const void *b)
{
    const struct weft_member_ *x = a;
    const struct weft_member_ *y = b;
    const uintptr_t p = (uintptr_t)x->future;
    const uintptr_t q = (uintptr_t)y->future;

    if (p != q)
        return p < q ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static int
by_index(const void *a, const void *b)
{
    const struct weft_member_ *x = a;
    const struct weft_member_ *y = b;

    return x->index < y->index ? -1 : 1;
}

size_t
weft_members_fill_(struct weft_member_ *members, weft_future *const *futures,
                   size_t n)
{
    size_t different = 0;

    for (size_t i = 0; i < n; i++) {
        if (futures[i] == NULL)
            return SIZE_MAX;
        members[i] = (struct weft_member_){.future = futures[i], .index = i};
    }
    if (n < 2)
        return n;
    qsort(members, n, sizeof(members[0]), by_future);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || members[i].future != members[different - 1].future)
            members[different++] = members[i];
    qsort(members, different, sizeof(members[0]), by_index);
    return different;
}

struct group {
    struct weft_member_ *members;
    size_t n;
    enum weft_when when;
    size_t watched; /* so many, from the first on, have a watcher */
    _Atomic size_t done;
    _Atomic size_t failed;
    weft_future gate;
};

/* Whether `done` futures, of which `failed` have failed, are enough. */
static bool
is_enough(const struct group *g, size_t done, size_t failed)
{
    return done == g->n || (g->when == WEFT_FIRST_DONE && done != 0) ||
           (g->when == WEFT_FIRST_FAILED && failed != 0);
}

static bool
has_failed(const weft_future *f)
{
    const enum weft_status s = weft_future_peek_(f);

    return s == WEFT_FAILED || s == WEFT_BROKEN;
}

/* One more is done. */
static void
count_one(struct group *g, const weft_future *f)
{
    const size_t failed =
        has_failed(f)
            ? atomic_fetch_add_explicit(&g->failed, 1, memory_order_relaxed) + 1
            : 0;
    const size_t done =
        atomic_fetch_add_explicit(&g->done, 1, memory_order_relaxed) + 1;

    if (is_enough(g, done, failed) && weft_future_start_(&g->gate) == WEFT_OK)
        weft_future_finish_(&g->gate, WEFT_OK, NULL, NULL);
}

static void
notify(struct weft_watcher_ *w, weft_future *f)
{
    struct weft_member_ *m = (struct weft_member_ *)(void *)w;

    count_one(m->group, f);
}

/* Take all watchers back. */
static void
unwatch(void *group)
{
    struct group *g = group;

    for (size_t i = 0; i < g->watched; i++)
        weft_future_unwatch_(g->members[i].future, &g->members[i].watcher);
}

/* Count those that are done now; whether they are enough. */
static bool
look(const struct group *g, size_t *done)
{
    size_t failed = 0;

    *done = 0;
    for (size_t i = 0; i < g->n; i++) {
        const weft_future *f = g->members[i].future;
        if (!weft_future_is_done(f))
            continue;
        ++*done;
        failed += has_failed(f);
    }
    return is_enough(g, *done, failed);
}

static enum weft_status
watch(struct group *g)
{
    for (; g->watched < g->n; g->watched++) {
        struct weft_member_ *m = &g->members[g->watched];
        m->watcher.notify = notify;
        m->group = g;
        const enum weft_status s = weft_future_watch_(m->future, &m->watcher);
        if (s == WEFT_BUSY)
            count_one(g, m->future);
        else if (s != WEFT_OK)
            return s;
    }
    return WEFT_OK;
}

/* Wait for what is not there yet. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_for(struct group *g, weft_deadline deadline)
{
    enum weft_status s;

    weft_future_init_(&g->gate, 1);
    atomic_init(&g->done, 0);
    atomic_init(&g->failed, 0);
    pthread_cleanup_push(unwatch, g);
    s = watch(g);
    if (s == WEFT_OK)
        s = weft_future_wait_(&g->gate, deadline, g->members[0].future);
    pthread_cleanup_pop(1);
    return s;
}

static enum weft_status
wait_in(struct weft_member_ *members, weft_future *const *futures, size_t n,
        enum weft_when when, weft_deadline deadline, size_t *done)
{
    struct group g = {.members = members, .when = when};
    enum weft_status s = WEFT_OK;
    size_t count;

    g.n = weft_members_fill_(members, futures, n);
    if (g.n == SIZE_MAX)
        return WEFT_INVALID;
    if (!look(&g, &count)) {
        s = deadline <= WEFT_NOW ? WEFT_TIMEOUT : wait_for(&g, deadline);
        if (s != WEFT_OK && s != WEFT_TIMEOUT)
            return s;
        s = look(&g, &count) ? WEFT_OK : WEFT_TIMEOUT;
    }
    if (done != NULL)
        *done = count;
    for (size_t i = 0; weft_watching_() && i < n; i++)
        if (weft_future_is_done(futures[i]))
            weft_watch_hears_(futures[i], WEFT_KIND_FUTURE);
    return s;
}

WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_for_many(weft_future *const *futures, size_t n, enum weft_when when,
              weft_deadline deadline, size_t *done)
{
    struct weft_member_ *members = calloc(n, sizeof(*members));
    enum weft_status s;

    if (members == NULL)
        return WEFT_NO_MEMORY;
    pthread_cleanup_push(free, members);
    s = wait_in(members, futures, n, when, deadline, done);
    pthread_cleanup_pop(1);
    return s;
}

enum weft_status
weft_wait(weft_future *const *futures, size_t n, enum weft_when when,
          weft_deadline deadline, size_t *done)
{
    struct weft_member_ members[SOME];

    if ((unsigned)when > WEFT_FIRST_FAILED)
        return WEFT_INVALID;
    WEFT_WATCH_CALL_();
    if (n > SOME)
        return wait_for_many(futures, n, when, deadline, done);
    return wait_in(members, futures, n, when, deadline, done);
}

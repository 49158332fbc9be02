/* SPDX-License-Identifier: MIT */
/*
 * as_completed.c - a line of the futures that are done, and a gate.
 *
 * A watcher of each future puts it at the end of the line; the reader takes from
 * its head.  Where the line is empty the reader waits for the gate, a future of
 * the iterator's own (future_group.c), which whoever puts one into the line
 * finishes.  Line and gate have one lock.  The reader makes the gate new with
 * the lock, when it is done and the line is empty; it is the only one to wait
 * for it.
 *
 * A watcher is notified with the lock of its future; so when all are taken back,
 * nobody touches the iterator any more.
 *
 * Ordering.  The locks and the futures order all.
 */
#include <stdint.h>
#include <stdlib.h>

#include "deadlock/watch.h"
#include "pool/future_group.h"

struct weft_as_completed {
    _Atomic uint32_t lock;
    size_t n;
    size_t handed; /* out; the reader's */
    struct weft_member_ *first;
    struct weft_member_ *last;
    weft_future gate;
    struct weft_member_ members[];
};

static void
line_up(struct weft_as_completed *it, struct weft_member_ *m)
{
    weft_brief_lock_(&it->lock);
    m->next = NULL;
    if (it->first == NULL)
        it->first = m;
    else
        it->last->next = m;
    it->last = m;
    if (weft_future_start_(&it->gate) == WEFT_OK)
        weft_future_finish_(&it->gate, WEFT_OK, NULL, NULL);
    weft_brief_unlock_(&it->lock);
}

static void
notify(struct weft_watcher_ *w, weft_future *f)
{
    struct weft_member_ *m = (struct weft_member_ *)(void *)w;

    (void)f;
    line_up(m->group, m);
}

/* Take the watchers of the first `n` back, and their handles. */
static void
let_go(struct weft_as_completed *it, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        weft_future_unwatch_(it->members[i].future, &it->members[i].watcher);
        weft_future_release(it->members[i].future);
    }
    free(it);
}

static enum weft_status
watch(struct weft_as_completed *it)
{
    for (size_t i = 0; i < it->n; i++) {
        struct weft_member_ *m = &it->members[i];
        m->group = it;
        m->watcher.notify = notify;
        const enum weft_status s = weft_future_watch_(m->future, &m->watcher);
        if (s == WEFT_BUSY) {
            line_up(it, m);
        } else if (s != WEFT_OK) {
            let_go(it, i);
            return s;
        }
        weft_future_retain(m->future);
    }
    return WEFT_OK;
}

enum weft_status
weft_as_completed_create(weft_as_completed **out, weft_future *const *futures,
                         size_t n)
{
    struct weft_as_completed *it;

    if (out == NULL)
        return WEFT_INVALID;
    if (n > (SIZE_MAX - sizeof(*it)) / sizeof(it->members[0]))
        return WEFT_NO_MEMORY;
    it = calloc(1, sizeof(*it) + n * sizeof(it->members[0]));
    if (it == NULL)
        return WEFT_NO_MEMORY;
    it->n = weft_members_fill_(it->members, futures, n);
    if (it->n == SIZE_MAX) {
        free(it);
        return WEFT_INVALID;
    }
    weft_future_init_(&it->gate, 1);
    const enum weft_status s = watch(it);
    if (s == WEFT_OK)
        *out = it;
    return s;
}

/* Take the first of the line; NULL: it is empty, and the gate is closed. */
static struct weft_member_ *
take(struct weft_as_completed *it)
{
    weft_brief_lock_(&it->lock);
    struct weft_member_ *m = it->first;
    if (m != NULL)
        it->first = m->next;
    else if (weft_future_is_done(&it->gate))
        weft_future_init_(&it->gate, 1);
    weft_brief_unlock_(&it->lock);
    return m;
}

enum weft_status
weft_as_completed_next(weft_as_completed *it, weft_deadline deadline,
                       weft_future **future)
{
    enum weft_status s = WEFT_OK;

    WEFT_WATCH_CALL_();
    if (it->handed == it->n || weft_future_is_of_parent_(&it->gate))
        return WEFT_CLOSED;
    for (;;) {
        const struct weft_member_ *m = take(it);
        if (m != NULL) {
            it->handed++;
            *future = m->future;
            if (weft_watching_())
                weft_watch_hears_(m->future, WEFT_KIND_FUTURE);
            return WEFT_OK;
        }
        if (s != WEFT_OK)
            return s;
        s = weft_future_wait_(&it->gate, deadline, it);
    }
}

void
weft_as_completed_destroy(weft_as_completed *it)
{
    if (it != NULL)
        let_go(it, it->n);
}

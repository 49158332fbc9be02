/* SPDX-License-Identifier: MIT */
/*
 * watch_group.c - one counter for each group of threads.
 *
 * A thread takes the count before it marks its bells, and sleeps while the
 * count is that.  Who finds a mark takes it off first and counts then: so a
 * mark that is there or was taken off after the ticket leads to another count.
 *
 * A count may come round while a thread is between its ticket and the kernel's
 * look at it: 2^32 rings, each of which found a mark that was set anew.
 *
 * Ordering.
 *
 *     bell.tell    a ring takes the mark off after the deed  ->  who marks the
 *                  bell later sees the deed
 *     wake         a ring counts after the deed  ->  who sees the count looks,
 *                  and sees the deed
 *     nap          a thread counts itself  ->  a ring then looks at the threads;
 *                  or a ring counts first, and the thread looks at that
 */
#include "queue/watch_group.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/cacheline.h"
#include "base/fence.h"
#include "base/park.h"
#include "base/sched.h"
#include "base/self.h"
#include "queue/bell.h"

static struct group {
    alignas(WEFT_CACHE_LINE) _Atomic uint32_t rings;
    _Atomic uint32_t sleepers; /* threads that sleep, or are about to */
} groups[WEFT_BELL_GROUPS_];

struct weft_watch
weft_watch_begin_(void)
{
    struct weft_watch w = {.group =
                               (unsigned)(weft_self_id_() % WEFT_BELL_GROUPS_)};

    /* acquire: wake */
    w.ticket =
        atomic_load_explicit(&groups[w.group].rings, memory_order_acquire);
    return w;
}

void
weft_watch_mark_(struct weft_watch w, struct weft_bell *b)
{
    /* acq_rel: bell.tell */
    atomic_fetch_or_explicit(&b->alert, WEFT_BELL_GROUP_ << w.group,
                             memory_order_acq_rel);
}

void
weft_watch_marked_(void)
{
    if (weft_fence_is_there_())
        weft_fence_heavy_();
    WEFT_SCHED_POINT_("watch.marked");
}

static void
leave(void *arg)
{
    struct group *g = arg;

    atomic_fetch_sub_explicit(&g->sleepers, 1, memory_order_relaxed);
}

WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
weft_watch_sleep_(struct weft_watch w, weft_deadline deadline)
{
    struct group *g = &groups[w.group];
    enum weft_status s = WEFT_OK;

    if (weft_park_spin_(&g->rings, w.ticket))
        return WEFT_OK;
    /* seq_cst: nap */
    atomic_fetch_add_explicit(&g->sleepers, 1, memory_order_seq_cst);
    pthread_cleanup_push(leave, g);
    /* seq_cst: nap */
    if (atomic_load_explicit(&g->rings, memory_order_seq_cst) == w.ticket)
        s = weft_park_wait_cancel_(&g->rings, w.ticket, deadline);
    pthread_cleanup_pop(1);
    return s;
}

static void
wake(struct group *g)
{
    /* seq_cst: wake, nap.  Else we might miss the sleeper and it the count. */
    atomic_fetch_add_explicit(&g->rings, 1, memory_order_seq_cst);
    /* seq_cst: nap */
    if (atomic_load_explicit(&g->sleepers, memory_order_seq_cst) != 0)
        weft_park_wake_all_(&g->rings);
}

void
weft_watch_groups_wake_(uint64_t set)
{
    WEFT_SCHED_POINT_("watch.claimed"); /* marks that nobody else will find */
    for (unsigned i = 0; i < WEFT_BELL_GROUPS_; i++)
        if ((set >> i & 1) != 0)
            wake(&groups[i]);
}

/* SPDX-License-Identifier: MIT */
/*
 * queue/bell.h - who sleeps until there is an item, or room; rung by whoever
 * brings one.
 *
 *   idea       the ringer, who comes often, loads one word, `alert`, that is 0
 *              while nobody sleeps and that nobody writes then.  Who is about
 *              to sleep says so there, fences for both (base/fence.h), and
 *              looks once more
 *   shape      16 bytes, to be kept on a line of its own; needs no destroy
 *   source     event counts (Reed and Kanodia, CACM 1979); that the one who
 *              sleeps pays for the fence, and who is counted, is original
 *
 *     63       62        61         32 31          0
 *     +--------+---------+------------+------------+
 *     | always | dropped |  watchers  |  sleepers  |
 *     +--------+---------+------------+------------+
 *
 *     sleepers   threads that sleep, or are about to, and that no ring has
 *                granted a wake-up
 *     watchers   groups of threads that wait for several bells at once
 *                (queue/watch_group.h).  Legal to be set with nobody there
 *     dropped    the owner of the bell is to be told by weft_bell_ring_
 *     always     there is no asymmetric fence: every ringer takes the slow way
 *
 * A sleeper is not its bell's any more once a ring has granted it a wake-up, so
 * the rings that follow cost nothing, although it has not run yet.  Wake-ups
 * have no names: who finds one in `wakes` uses it up and looks.
 *
 *     threads that wait = sleepers + wake-ups granted, or about to be
 *
 *     bell.tell    an item, or room, is there before the ring  ->  who enlists
 *                  after it looks and sees it; the other half is
 *                  fence.agreement
 *
 *       weft_bell_enlist_(b);
 *       for (;;) {
 *           if (take(&item))
 *               return weft_bell_leave_(b) ...
 */
#ifndef WEFT_QUEUE_BELL_H
#define WEFT_QUEUE_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/deadline.h>
#include <weft/status.h>

#include "base/fence.h"

#define WEFT_BELL_SLEEPERS_ ((uint64_t)UINT32_MAX)
#define WEFT_BELL_GROUPS_   30
#define WEFT_BELL_GROUP_    ((uint64_t)1 << 32) /* the first */
#define WEFT_BELL_WATCHERS_ ((((uint64_t)1 << WEFT_BELL_GROUPS_) - 1) << 32)
#define WEFT_BELL_DROPPED_  ((uint64_t)1 << 62)
#define WEFT_BELL_ALWAYS_   ((uint64_t)1 << 63)

struct weft_bell {
    _Atomic uint64_t alert;
    _Atomic uint32_t wakes; /* granted and not used up */
};

void weft_bell_init_(struct weft_bell *b);

/*
 * Whether the bell is to be rung; asked after what it announces.
 *
 *   cost       one load of a line that only sleepers write
 */
static inline bool
weft_bell_is_heard_(struct weft_bell *b)
{
    weft_fence_light_();
    return atomic_load_explicit(&b->alert, memory_order_relaxed) != 0;
}

/* Whether somebody waits for several bells of which this is one; for whoever
 * looks with a lock that those who mark the bell take before they look. */
static inline bool
weft_bell_is_watched_(struct weft_bell *b)
{
    const uint64_t a = atomic_load_explicit(&b->alert, memory_order_relaxed);

    return (a & WEFT_BELL_WATCHERS_) != 0;
}

/*
 * Wake `n` of the sleepers, or as many as there are, and all watchers.
 *
 *   returns    whether WEFT_BELL_DROPPED_ is set
 *   cost       a system call only if there was a sleeper or a watcher
 */
bool weft_bell_ring_(struct weft_bell *b, size_t n);

/* Wake all. */
void weft_bell_ring_all_(struct weft_bell *b);

/* Set WEFT_BELL_DROPPED_: every ring that follows an announcement which the
 * caller does not see after this returns true. */
void weft_bell_drop_(struct weft_bell *b);

/* Whether that has begun. */
static inline bool
weft_bell_is_dropped_(struct weft_bell *b)
{
    const uint64_t a = atomic_load_explicit(&b->alert, memory_order_relaxed);

    return (a & WEFT_BELL_DROPPED_) != 0;
}

/* The calling thread is about to sleep.  Look after it. */
void weft_bell_enlist_(struct weft_bell *b);

/*
 * Sleep until a wake-up comes, having enlisted and looked.
 *
 *   returns    WEFT_OK after a wake-up, and the thread is not enlisted any more;
 *              WEFT_TIMEOUT, and it still is
 *   blocking   in the kernel; a cancellation point.  The handler calls
 *              weft_bell_leave_ and passes a wake-up on
 */
WEFT_MUST_USE enum weft_status weft_bell_sleep_(struct weft_bell *b,
                                                weft_deadline deadline);

/* Leave the sleepers; true: with a wake-up, which is to be made use of. */
bool weft_bell_leave_(struct weft_bell *b);

#endif /* WEFT_QUEUE_BELL_H */

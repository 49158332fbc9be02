/* SPDX-License-Identifier: MIT */
/*
 * bell.c - the slow half of the bell: enlisting, sleeping, waking.
 *
 * Nobody is forgotten: an announcement and an enlisting are both followed by a
 * look at what the other wrote, with a fence in between that the sleeper pays.
 * So the announcer finds the sleeper, or the sleeper finds what was announced.
 * Where there is no such fence, both change `alert` with a read-modify-write,
 * and one of the two comes first.
 *
 * A thread that leaves takes itself off the sleepers.  If there are none, its
 * wake-up is on the way and it has to use that up; and it looks for one first,
 * because the kernel may have woken it and nobody else for that one.
 *
 * Ordering.
 *
 *     bell.tell    a ring changes `alert` after the deed  ->  who enlists later
 *                  sees the deed
 *     grant        a ring grants a wake-up  ->  who uses it up looks, and sees
 *                  what was announced
 */
#include "queue/bell.h"

#include "base/park.h"
#include "base/sched.h"
#include "queue/watch_group.h"

void
weft_bell_init_(struct weft_bell *b)
{
    atomic_init(&b->alert, weft_fence_is_there_() ? 0 : WEFT_BELL_ALWAYS_);
    atomic_init(&b->wakes, 0);
}

/* Grant `k` wake-ups: so many threads wait for them. */
static void
grant(struct weft_bell *b, uint32_t k)
{
    if (k == 0)
        return;
    WEFT_SCHED_POINT_("bell.claimed"); /* sleepers that nobody else will wake */
    /* release: grant */
    atomic_fetch_add_explicit(&b->wakes, k, memory_order_release);
    weft_park_wake_(&b->wakes, k);
}

bool
weft_bell_ring_(struct weft_bell *b, size_t n)
{
    uint64_t a = atomic_load_explicit(&b->alert, memory_order_relaxed);
    uint32_t k;

    do {
        k = (uint32_t)(a & WEFT_BELL_SLEEPERS_);
        k = k < n ? k : (uint32_t)n;
        /* acq_rel: bell.tell */
    } while (!atomic_compare_exchange_weak_explicit(
        &b->alert, &a, (a - k) & ~WEFT_BELL_WATCHERS_, memory_order_acq_rel,
        memory_order_relaxed));
    grant(b, k);
    if ((a & WEFT_BELL_WATCHERS_) != 0)
        weft_watch_groups_wake_((a & WEFT_BELL_WATCHERS_) / WEFT_BELL_GROUP_);
    return (a & WEFT_BELL_DROPPED_) != 0;
}

void
weft_bell_ring_all_(struct weft_bell *b)
{
    (void)weft_bell_ring_(b, UINT32_MAX);
}

/* What both sides of an announcement do for the other to see it. */
static void
announce(struct weft_bell *b, uint64_t add)
{
    /* acq_rel: bell.tell */
    const uint64_t a =
        atomic_fetch_add_explicit(&b->alert, add, memory_order_acq_rel);

    if ((a & WEFT_BELL_ALWAYS_) == 0)
        weft_fence_heavy_();
}

void
weft_bell_drop_(struct weft_bell *b)
{
    /* acq_rel: bell.tell */
    const uint64_t a = atomic_fetch_or_explicit(&b->alert, WEFT_BELL_DROPPED_,
                                                memory_order_acq_rel);

    if ((a & WEFT_BELL_ALWAYS_) == 0)
        weft_fence_heavy_();
}

void
weft_bell_enlist_(struct weft_bell *b)
{
    announce(b, 1);
    WEFT_SCHED_POINT_("bell.enlisted"); /* asleep, to all that ring */
}

/* Use up a wake-up. */
static bool
use_wake(struct weft_bell *b)
{
    uint32_t wakes = atomic_load_explicit(&b->wakes, memory_order_relaxed);

    while (wakes != 0)
        /* acquire: grant */
        if (atomic_compare_exchange_weak_explicit(&b->wakes, &wakes, wakes - 1,
                                                  memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

enum weft_status
weft_bell_sleep_(struct weft_bell *b, weft_deadline deadline)
{
    for (;;) {
        const enum weft_status slept =
            weft_park_wait_cancel_(&b->wakes, 0, deadline);
        WEFT_SCHED_POINT_(
            "bell.woken"); /* with a wake-up that it has not used */
        if (use_wake(b))
            return WEFT_OK;
        if (slept == WEFT_TIMEOUT)
            return WEFT_TIMEOUT;
    }
}

bool
weft_bell_leave_(struct weft_bell *b)
{
    for (;;) {
        if (use_wake(b))
            return true;
        uint64_t a = atomic_load_explicit(&b->alert, memory_order_relaxed);
        if ((a & WEFT_BELL_SLEEPERS_) == 0) {
            /* It is on its way. */
            const enum weft_status s =
                weft_park_wait_(&b->wakes, 0, WEFT_FOREVER);
            (void)s;
            continue;
        }
        WEFT_SCHED_POINT_("bell.leaving");
        if (atomic_compare_exchange_weak_explicit(&b->alert, &a, a - 1,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
            return false;
    }
}

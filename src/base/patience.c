/* SPDX-License-Identifier: MIT */
/*
 * patience.c - how long a wait spins.
 *
 * To spin for as long as a sleep and a wake-up cost is never more than twice as
 * bad as to know (Karlin, Li, Manasse, Owicki: Empirical Studies of Competitive
 * Spinning for a Shared-Memory Multiprocessor, SOSP 1991).  On a CPU that has
 * halted that is 50 us, which nobody wants to see spent each time for nothing,
 * and so the short spin is the rule.
 *
 * Two threads that hand work to each other have two ways to go on for ever with
 * the short one alone.  Both awake, each finds the other's answer within a
 * microsecond.  Both asleep, each is woken, answers, spins in vain while the
 * other one is being woken, and sleeps again; nothing of what they do leads out.
 * One long spin does.
 *
 * Ordering.  Nothing here is shared.
 */
#include "base/patience.h"

#include <sched.h>

#include <ck_pr.h>

#include "base/deadline.h"
#include "base/park.h"

#define PAUSES_PER_TIMING 8
#define YIELD_EVERY_NS    1000
#define SWITCH_NS         1000 /* a yield that takes longer went to another */

__thread struct weft_patience_ weft_patience_;

void
weft_patience_begin_(struct weft_patience_ *p, unsigned pauses_most)
{
    p->begun_ns = 0;
    p->pauses = 1;
    p->pauses_most = pauses_most;
    p->paused = 0;
}

/* Let others run.  Where there were some, and what it waits for is there now, the
 * next wait begins with that. */
static void
give_way(struct weft_patience_ *p, int64_t now)
{
    sched_yield();
    const int64_t then = weft_clock_ns_();

    p->gives_way = then - now >= SWITCH_NS;
    p->yield_ns = then + YIELD_EVERY_NS;
}

/* Spin on?  A yield may take as long as another thread likes. */
static bool
spin_on(struct weft_patience_ *p)
{
    const int64_t now = weft_clock_ns_();

    if (p->begun_ns == 0) {
        p->begun_ns = now;
        p->yield_ns = p->gives_way ? now : now + YIELD_EVERY_NS;
    }
    if (now - p->begun_ns >=
        (p->is_long ? WEFT_PATIENCE_NS : WEFT_PARK_SPIN_NS))
        return false;
    if (now >= p->yield_ns)
        give_way(p, now);
    return true;
}

bool
weft_patience_pause_(struct weft_patience_ *p)
{
    if (!weft_park_may_spin_())
        return false;
    if (p->begun_ns == 0 && p->gives_way)
        return spin_on(p);
    if (p->gives_way) /* in vain: whom it waits for does not share its CPU */
        p->gives_way = false;
    for (unsigned i = 0; i < p->pauses; i++)
        ck_pr_stall();
    p->paused += p->pauses;
    if (p->pauses < p->pauses_most)
        p->pauses *= 2;
    if (p->paused < PAUSES_PER_TIMING)
        return true;
    p->paused = 0;
    return spin_on(p);
}

void
weft_patience_woken_(struct weft_patience_ *p)
{
    p->gives_way = true;
    if (p->begun_ns != 0)
        p->is_long = !p->is_long &&
                     weft_clock_ns_() - p->begun_ns <= WEFT_PATIENCE_PAYS_NS;
}

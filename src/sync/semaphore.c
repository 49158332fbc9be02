/* SPDX-License-Identifier: MIT */
/*
 * semaphore.c - units, and who waits for them, in one 64-bit word.
 *
 *     63     62 61      58 57        32 31        0
 *     +--------+----------+------------+----------+
 *     | baton  |  coming  |  sleepers  |  value   |
 *     +--------+----------+------------+----------+
 *
 *     sleepers   threads that wait and that no release has granted a wake-up
 *     coming     threads that were granted one and have not looked since; 15
 *                stands for 15 or more.  Legal to be too low; illegal to be too
 *                high
 *     baton      0 nobody has it; STARVED: the thread that has it is next;
 *                HANDED: a unit was set aside for it
 *
 * A thread that finds no unit adds itself to the sleepers in the same step.  A
 * release adds its units and, in the same step, turns sleepers into coming
 * ones: as many as there are units that no coming thread will want.  Only then
 * it grants them their wake-ups, by adding to the word `wakes`, on which they
 * sleep.  So a release with nobody to wake makes no system call, and several
 * releases do not wake several threads for one unit.
 *
 * Wake-ups have no names: a thread that wakes uses one up and looks for a unit,
 * which another may have taken by then; then it is a sleeper again.  A thread
 * that gives up takes itself off the sleepers, and if there are none, its own
 * wake-up is on the way and it has to use that up before it leaves.  At each
 * moment
 *
 *     threads that wait = sleepers + wake-ups granted, or about to be
 *
 * so nobody is forgotten: with sleepers there, coming is never less than value.
 * A thread looks for a wake-up before it takes itself off, because the kernel
 * may have woken it for one.
 *
 * Who wakes and finds nothing, STARVED_NS after that happened to it first,
 * takes the baton: the next release sets a unit aside for it, that nobody else
 * can take, and says so in `handed`.  Until it has left, the unit counts
 * against the maximum.
 *
 * Who acquires may free the semaphore while the release that made it possible
 * still runs.  After the swap that adds the units a release touches nothing but
 * `wakes` and `handed`, and those only while the threads for whom it does
 * cannot leave without them: they are inside a call, so nobody may free it.
 * After that it only tells the kernel an address.
 *
 * Ordering.
 *
 *     unit        weft_semaphore_release  ->  the acquire that takes it
 *     grant       release has done with the object  ->  a thread uses up a
 *                 wake-up, and may free it
 *     hand        release sets `handed`  ->  the thread with the baton sees it
 *     lay_down    `handed` is 0 again    ->  the next release that sets it
 *
 * Every change of the word is a read-modify-write, so an acquire that takes a
 * unit sees every release before it.
 */
#define WEFT_NO_INLINE
#include <weft/semaphore.h>

#include <pthread.h>

#include "base/deadline.h"
#include "base/park.h"
#include "deadlock/watch.h"

#define STARVED_NS 1000000

#define VALUE       ((uint64_t)UINT32_MAX)
#define SLEEPER     ((uint64_t)1 << 32)
#define SLEEPERS    (((uint64_t)1 << 58) - SLEEPER)
#define COMING_ONE  ((uint64_t)1 << 58)
#define COMING_MOST 15
#define COMING      (COMING_MOST * COMING_ONE)
#define STARVED     ((uint64_t)1 << 62)
#define HANDED      ((uint64_t)2 << 62)
#define BATON       (STARVED | HANDED)

enum weft_status
weft_semaphore_init(weft_semaphore *s, uint32_t value, uint32_t max)
{
    if (value > max)
        return WEFT_INVALID;
    if (weft_watching_())
        weft_watch_begins_at_(s, value, max == 1);
    atomic_init(&s->word, value);
    s->not_max = UINT32_MAX - max;
    atomic_init(&s->wakes, 0);
    atomic_init(&s->handed, 0);
    atomic_init(&s->waker, 0);
    return WEFT_OK;
}

uint32_t
weft_semaphore_value(const weft_semaphore *s)
{
    return (uint32_t)atomic_load_explicit(&s->word, memory_order_relaxed);
}

/* Swap the word, if it is still `*w`; else load it there. */
static bool
swap(weft_semaphore *s, uint64_t *w, uint64_t next)
{
    /* acq_rel: unit, lay_down */
    return atomic_compare_exchange_weak_explicit(
        &s->word, w, next, memory_order_acq_rel, memory_order_relaxed);
}

/* --- release ------------------------------------------------------------- */

static unsigned
coming(uint64_t w)
{
    return (unsigned)((w & COMING) / COMING_ONE);
}

static uint32_t
sleepers(uint64_t w)
{
    return (uint32_t)((w & SLEEPERS) / SLEEPER);
}

/* Return `w` with as many sleepers made coming as its value asks for, at most
 * `n`; `*k` is how many. */
static uint64_t
call(uint64_t w, uint32_t n, uint32_t *k)
{
    const uint32_t value = (uint32_t)(w & VALUE);
    const unsigned c = coming(w);

    *k = value > c ? value - c : 0;
    *k = *k < n ? *k : n;
    *k = *k < sleepers(w) ? *k : sleepers(w);
    const uint32_t room = COMING_MOST - c;
    return w - *k * SLEEPER + (*k < room ? *k : room) * COMING_ONE;
}

/* Grant `k` wake-ups: so many threads cannot leave without them. */
static void
grant(weft_semaphore *s, uint32_t k)
{
    if (k == 0)
        return;
    /* release: grant */
    atomic_fetch_add_explicit(&s->wakes, k, memory_order_release);
    weft_park_wake_(&s->wakes, k);
}

/* Hand the unit that was set aside to the thread with the baton. */
static void
hand_over(weft_semaphore *s)
{
    /* release: hand */
    atomic_store_explicit(&s->handed, 1, memory_order_release);
    weft_park_wake_(&s->handed, 1);
}

enum weft_status
weft_semaphore_release(weft_semaphore *s, uint32_t n)
{
    return weft_semaphore_release_slow_(s, n);
}

enum weft_status
weft_semaphore_release_slow_(weft_semaphore *s, uint32_t n)
{
    const uint32_t max = UINT32_MAX - s->not_max;
    uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);
    uint64_t next;
    uint32_t k;

    if (n == 0)
        return WEFT_INVALID;
    if (weft_watching_())
        weft_watch_posts_(s, n, max == 1);
    do {
        if (n > max - (w & VALUE) - ((w & HANDED) != 0))
            return WEFT_OVERFLOW;
        if ((w & STARVED) != 0)
            next = call(w - STARVED + HANDED + n - 1, n - 1, &k);
        else
            next = call(w + n, n, &k);
        if ((w & (SLEEPERS | STARVED)) != 0)
            atomic_store_explicit(&s->waker, weft_park_here_(),
                                  memory_order_relaxed);
    } while (!swap(s, &w, next));
    if ((w & STARVED) != 0)
        hand_over(s);
    grant(s, k);
    return WEFT_OK;
}

/* --- acquire ------------------------------------------------------------- */

/* Take a unit if there is one. */
static bool
take(weft_semaphore *s)
{
    uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);

    do
        if ((w & VALUE) == 0)
            return false;
    while (!swap(s, &w, w - 1));
    return true;
}

/* Take a unit, or become a sleeper. */
static bool
take_or_enlist(weft_semaphore *s)
{
    uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);

    while (!swap(s, &w, (w & VALUE) != 0 ? w - 1 : w + SLEEPER)) {
    }
    return (w & VALUE) != 0;
}

/* What a waiting thread is, which its cleanup handler needs to know. */
enum role { SLEEPING, NEXT };

struct wait {
    weft_semaphore *semaphore;
    enum role role;
    int64_t starved_ns; /* when it is starved; 0: it never woke for nothing */
};

/* Use up a wake-up. */
static bool
use_wake(weft_semaphore *s)
{
    uint32_t wakes = atomic_load_explicit(&s->wakes, memory_order_relaxed);

    while (wakes != 0)
        /* acquire: grant */
        if (atomic_compare_exchange_weak_explicit(&s->wakes, &wakes, wakes - 1,
                                                  memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* Wait for what another thread is just about to store. */
static void
await(_Atomic uint32_t *word)
{
    while (atomic_load_explicit(word, memory_order_relaxed) == 0)
        if (weft_park_wait_(word, 0, WEFT_FOREVER) != WEFT_OK)
            return;
}

/* `w` with one less that was called. */
static uint64_t
arrive(uint64_t w)
{
    return coming(w) > 0 ? w - COMING_ONE : w;
}

/* Whether a thread that woke for nothing has done so for long enough. */
static bool
is_starved(struct wait *wait)
{
    const int64_t now_ns = weft_clock_ns_();

    if (wait->starved_ns == 0)
        wait->starved_ns = now_ns + STARVED_NS;
    return now_ns >= wait->starved_ns;
}

/* What becomes of a thread that looked. */
enum outcome { TOOK, NOTHING, SLEEPS_ON, IS_NEXT };

/* A thread that has used up a wake-up takes a unit; without one it is a sleeper
 * again, or has the baton, or, if `leaves`, no longer waits. */
static enum outcome
look(struct wait *wait, bool leaves)
{
    weft_semaphore *s = wait->semaphore;
    uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);
    enum outcome outcome;
    uint64_t next;

    do {
        next = arrive(w);
        if ((w & VALUE) != 0) {
            outcome = TOOK;
            next -= 1;
        } else if (leaves) {
            outcome = NOTHING;
        } else if (is_starved(wait) && (w & BATON) == 0) {
            outcome = IS_NEXT;
            next += STARVED;
        } else {
            outcome = SLEEPS_ON;
            next += SLEEPER;
        }
    } while (!swap(s, &w, next));
    return outcome;
}

/* A sleeper whose time is over leaves, with a unit if there is one. */
static enum outcome
leave(struct wait *wait)
{
    weft_semaphore *s = wait->semaphore;

    for (;;) {
        if (use_wake(s))
            return look(wait, true);
        uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);
        if ((w & SLEEPERS) == 0) {
            await(&s->wakes);
            continue;
        }
        const bool has = (w & VALUE) != 0;
        if (swap(s, &w, w - SLEEPER - has))
            return has ? TOOK : NOTHING;
    }
}

/* Leave without a unit; a wake-up that is thereby used up goes to another. */
static void
leave_cancelled(weft_semaphore *s)
{
    for (;;) {
        uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);
        if (use_wake(s)) {
            uint32_t k;
            while (!swap(s, &w, call(arrive(w), 1, &k))) {
            }
            grant(s, k);
            return;
        }
        if ((w & SLEEPERS) == 0)
            await(&s->wakes);
        else if (swap(s, &w, w - SLEEPER))
            return;
    }
}

/* Whether the unit set aside has come to the thread with the baton. */
static bool
was_handed(weft_semaphore *s)
{
    /* acquire: hand */
    if (atomic_load_explicit(&s->handed, memory_order_acquire) == 0)
        return false;
    atomic_store_explicit(&s->handed, 0, memory_order_relaxed);
    return true;
}

/* Lay the baton down; true: with a unit, which was set aside. */
static bool
lay_down(weft_semaphore *s)
{
    uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);

    while ((w & STARVED) != 0)
        if (swap(s, &w, w - STARVED))
            return false;
    while (!was_handed(s))
        await(&s->handed);
    return true;
}

/* Wait for the unit that the next release sets aside. */
static enum weft_status
wait_handed(struct wait *wait, weft_deadline deadline)
{
    weft_semaphore *s = wait->semaphore;

    while (!was_handed(s))
        if (weft_park_wait_cancel_(&s->handed, 0, deadline) == WEFT_TIMEOUT) {
            if (!lay_down(s))
                return WEFT_TIMEOUT;
            break;
        }
    uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);
    while (!swap(s, &w, w - HANDED)) {
    }
    return WEFT_OK;
}

static void
cancelled(void *arg)
{
    struct wait *wait = arg;
    weft_semaphore *s = wait->semaphore;

    if (wait->role == SLEEPING)
        leave_cancelled(s);
    else if (lay_down(s)) {
        uint64_t w = atomic_load_explicit(&s->word, memory_order_relaxed);
        uint32_t k;
        while (!swap(s, &w, call(w - HANDED + 1, 1, &k))) {
        }
        grant(s, k);
    }
    weft_watch_unblock_();
}

/* Wait as a sleeper. */
static enum weft_status
wait_asleep(struct wait *wait, weft_deadline deadline)
{
    weft_semaphore *s = wait->semaphore;
    enum outcome outcome = SLEEPS_ON;

    while (outcome == SLEEPS_ON) {
        const enum weft_status slept =
            weft_park_wait_cancel_(&s->wakes, 0, deadline);
        if (use_wake(s))
            outcome = look(wait, false);
        else if (slept == WEFT_TIMEOUT)
            outcome = leave(wait);
    }
    if (outcome == IS_NEXT) {
        wait->role = NEXT;
        return wait_handed(wait, deadline);
    }
    return outcome == TOOK ? WEFT_OK : WEFT_TIMEOUT;
}

WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
acquire_slow(weft_semaphore *s, weft_deadline deadline)
{
    const uint32_t waker =
        atomic_load_explicit(&s->waker, memory_order_relaxed);
    if (waker != weft_park_here_() && weft_park_spin64_(&s->word, VALUE, 0) &&
        take(s))
        return WEFT_OK;
    enum weft_status status =
        weft_watch_block_(s, WEFT_KIND_SEMAPHORE, deadline);
    if (status != WEFT_OK)
        return status;
    if (!take_or_enlist(s)) {
        struct wait wait = {s, SLEEPING, 0};
        pthread_cleanup_push(cancelled, &wait);
        status = wait_asleep(&wait, deadline);
        pthread_cleanup_pop(0);
    }
    weft_watch_unblock_();
    return status;
}

static inline enum weft_status
acquire(weft_semaphore *s, weft_deadline deadline)
{
    if (take(s))
        return WEFT_OK;
    return deadline <= WEFT_NOW ? WEFT_TIMEOUT : acquire_slow(s, deadline);
}

static bool
is_lock(const weft_semaphore *s)
{
    return weft_watch_takes_lock_(s, weft_semaphore_value(s),
                                  s->not_max == UINT32_MAX - 1);
}

/* While somebody watches: what the graph of orders is told.  One that serves as
 * a lock may turn out to be none while it is waited for. */
static enum weft_status
acquire_told(weft_semaphore *s, weft_deadline deadline)
{
    if (is_lock(s))
        weft_watch_wanted_(s, WEFT_KIND_SEMAPHORE, deadline);
    else
        weft_watch_awaits_(s, WEFT_KIND_SEMAPHORE, NULL, deadline);
    const enum weft_status status = acquire(s, deadline);
    if (status != WEFT_OK)
        return status;
    if (is_lock(s))
        weft_watch_acquired_(s, WEFT_KIND_SEMAPHORE);
    else
        weft_watch_hears_(s, WEFT_KIND_SEMAPHORE);
    return WEFT_OK;
}

enum weft_status
weft_semaphore_acquire(weft_semaphore *s, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    if (weft_watching_())
        return acquire_told(s, deadline);
    return acquire(s, deadline);
}

enum weft_status
weft_semaphore_acquire_slow_(weft_semaphore *s, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    if (weft_watching_())
        return acquire_told(s, deadline);
    (void)weft_self_tag_(); /* from now on the inline part goes on */
    return acquire(s, deadline);
}

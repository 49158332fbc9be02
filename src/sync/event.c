/* SPDX-License-Identifier: MIT */
/*
 * event.c - set or not, how often it was set, and how many wait, in one word.
 *
 *     63         32 31            1   0
 *     +------------+--------------+-----+
 *     |   waiters  |  generation  | SET |
 *     +------------+--------------+-----+
 *
 *     state     left by   which
 *     clear     set       adds 1 to the generation, sets SET, takes all waiters
 *                         off and wakes them
 *     set       clear     takes SET off
 *
 * A waiter adds itself in one step with seeing SET clear, and sleeps while the
 * low half is what it saw.  A set changes the generation, so a clear that
 * follows cannot put the old half back: who slept wakes, who was about to sleep
 * does not, and both see by the generation that they may go.
 *
 * Who gives up takes itself off, if the generation is still its own; then no
 * set has come that took it off already.  So waiters is exact, and a set makes
 * a system call only if there are some.
 *
 * The generation has 31 bits and is compared for equality: a waiter misses
 * its set only if exactly a multiple of 2^31 others happen between its last
 * look and its sleep, which is half a minute of nothing else.
 *
 * A waiter that was let go may free the event at once.  So after the swap that
 * lets it go a set touches the word no more: it only tells the kernel its
 * address.
 *
 * Ordering.  One edge:
 *
 *     set         weft_event_set  ->  a wait or is_set that sees it
 *
 * Every other operation on the word is a read-modify-write, so it is part of
 * the release sequence of the set before it; that is also why a set of an event
 * that is set already swaps the word: its own caller's writes are to be seen.
 */
#define WEFT_NO_INLINE
#include <weft/event.h>

#include <pthread.h>

#include "base/park.h"
#include "deadlock/watch.h"

#define SET        ((uint64_t)1)
#define GENERATION ((uint64_t)2)
#define LOW        ((uint64_t)UINT32_MAX) /* generation and SET */
#define WAITER     ((uint64_t)1 << 32)

void
weft_event_init(weft_event *e)
{
    if (weft_watching_())
        weft_watch_forgets_(e, sizeof(*e));
    atomic_init(&e->word, 0);
    atomic_init(&e->setter, 0);
}

void
weft_event_set(weft_event *e)
{
    uint64_t w = atomic_load_explicit(&e->word, memory_order_relaxed);
    uint64_t next;

    if (weft_watching_())
        weft_watch_tells_(e, WEFT_KIND_EVENT, NULL, 1);
    do {
        next = (w & SET) != 0 ? w : ((w & LOW) + GENERATION + SET) & LOW;
        if (w >= WAITER)
            atomic_store_explicit(&e->setter, weft_park_here_(),
                                  memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(
        &e->word, &w, next, memory_order_release /* release: set */,
        memory_order_relaxed));
    if (w >= WAITER)
        weft_park_wake_all64_(&e->word);
}

void
weft_event_clear(weft_event *e)
{
    const uint64_t w = atomic_load_explicit(&e->word, memory_order_relaxed);

    if ((w & SET) != 0)
        atomic_fetch_and_explicit(&e->word, ~SET, memory_order_relaxed);
}

bool
weft_event_is_set(const weft_event *e)
{
    /* acquire: set */
    return (atomic_load_explicit(&e->word, memory_order_acquire) & SET) != 0;
}

/* A thread that waits, and what it saw when it began. */
struct wait {
    weft_event *event;
    uint64_t seen;
};

/* Whether the event is set, or was since `seen`. */
static bool
has_come(const struct wait *wait, uint64_t w)
{
    return (w & LOW) != (wait->seen & LOW);
}

/* Take the calling thread off; false: a set has done so, it may go. */
static bool
give_up(struct wait *wait)
{
    uint64_t w = atomic_load_explicit(&wait->event->word, memory_order_relaxed);

    do
        if (has_come(wait, w))
            return false;
    while (!atomic_compare_exchange_weak_explicit(
        &wait->event->word, &w, w - WAITER, memory_order_relaxed,
        memory_order_relaxed));
    return true;
}

static void
cancelled(void *wait)
{
    (void)give_up(wait);
    weft_watch_unblock_();
}

/* Sleep; the calling thread is a waiter. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
sleep_until(struct wait *wait, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;
    uint64_t w;

    pthread_cleanup_push(cancelled, wait);
    do {
        s = weft_park_wait_cancel64_(&wait->event->word, wait->seen, deadline);
        /* acquire: set */
        w = atomic_load_explicit(&wait->event->word, memory_order_acquire);
    } while (!has_come(wait, w) && (s == WEFT_OK || !give_up(wait)));
    pthread_cleanup_pop(0);
    return has_come(wait, w) ? WEFT_OK : WEFT_TIMEOUT;
}

/* Make the calling thread a waiter; false: it need not wait. */
static bool
enlist(const struct wait *wait)
{
    for (;;) {
        /* acquire: set */
        uint64_t w =
            atomic_load_explicit(&wait->event->word, memory_order_acquire);
        if (has_come(wait, w))
            return false;
        if (atomic_compare_exchange_weak_explicit(
                &wait->event->word, &w, w + WAITER, memory_order_relaxed,
                memory_order_relaxed))
            return true;
    }
}

/* Wait for an event that was not set. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_slow(weft_event *e, weft_deadline deadline)
{
    /* If it is set by now, it has come: SET was not there. */
    const uint64_t w = atomic_load_explicit(&e->word, memory_order_relaxed);
    struct wait wait = {e, w & ~SET};

    if (atomic_load_explicit(&e->setter, memory_order_relaxed) !=
        weft_park_here_())
        weft_park_spin64_(&e->word, LOW, wait.seen & LOW);
    enum weft_status s = weft_watch_block_(e, WEFT_KIND_EVENT, deadline);
    if (s != WEFT_OK)
        return s;
    if (enlist(&wait))
        s = sleep_until(&wait, deadline);
    weft_watch_unblock_();
    return s;
}

/* While somebody watches: what the graph of orders is told. */
static enum weft_status
wait_told(weft_event *e, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;

    weft_watch_awaits_(e, WEFT_KIND_EVENT, NULL, deadline);
    if (!weft_event_is_set(e))
        s = deadline <= WEFT_NOW ? WEFT_TIMEOUT : wait_slow(e, deadline);
    if (s == WEFT_OK)
        weft_watch_hears_(e, WEFT_KIND_EVENT);
    return s;
}

enum weft_status
weft_event_wait(weft_event *e, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    if (weft_watching_())
        return wait_told(e, deadline);
    if (weft_event_is_set(e))
        return WEFT_OK;
    return deadline <= WEFT_NOW ? WEFT_TIMEOUT : wait_slow(e, deadline);
}

enum weft_status
weft_event_wait_slow_(weft_event *e, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    if (weft_watching_())
        return wait_told(e, deadline);
    (void)weft_self_tag_(); /* from now on the inline part goes on */
    if (weft_event_is_set(e))
        return WEFT_OK;
    return deadline <= WEFT_NOW ? WEFT_TIMEOUT : wait_slow(e, deadline);
}

/* SPDX-License-Identifier: MIT */
/*
 * once.c - one word says whether it is done, and who is at it.
 *
 *     word             means                   left by
 *     0                nobody is at it         a caller: its tag
 *     tag              a thread runs its fn    it: DONE or 0; a waiter: WAITED
 *     tag | WAITED     and threads sleep       it: DONE, and wakes all; or
 *                                              WAITED, and wakes one
 *     WAITED           it failed               a caller: its tag | WAITED
 *     DONE             for ever                nobody
 *
 * WAITED stays until the end: it may be set without a sleeper, which costs the
 * last one a system call, but no sleeper is without it.  So a thread that comes
 * by after a failure, before the one that was woken, takes the word and will
 * wake the others.
 *
 * Ordering.
 *
 *     done       fn returned WEFT_OK        ->  a caller sees DONE
 *     retry      fn failed, the word given  ->  the next takes it
 */
#define WEFT_NO_INLINE
#include <weft/once.h>

#include <pthread.h>

#include "base/park.h"
#include "deadlock/watch.h"

#define WAITED 1u
#define DONE   WEFT_ONCE_DONE_

static void
finish(weft_once *o, bool done)
{
    if (weft_watching_()) {
        weft_watch_released_(o, WEFT_KIND_ONCE);
        if (done)
            weft_watch_tells_(o, WEFT_KIND_ONCE, NULL, 1);
    }
    uint32_t seen = atomic_load_explicit(&o->word, memory_order_relaxed);
    /* release: done, retry */
    while (!atomic_compare_exchange_weak_explicit(
        &o->word, &seen, done ? DONE : seen & WAITED, memory_order_release,
        memory_order_relaxed))
        ;
    if ((seen & WAITED) == 0)
        return;
    if (done)
        weft_park_wake_all_(&o->word);
    else
        weft_park_wake_(&o->word, 1);
}

/* The thread ends inside its fn. */
static void
give_up(void *o)
{
    finish(o, false);
}

WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
run(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx)
{
    enum weft_status s;

    if (weft_watching_())
        weft_watch_acquired_(o, WEFT_KIND_ONCE);
    pthread_cleanup_push(give_up, o);
    s = fn(ctx);
    pthread_cleanup_pop(0);
    finish(o, s == WEFT_OK);
    return s;
}

/* Wait until the word is no longer `seen`, which another thread's tag is in. */
static enum weft_status
wait_for_other(weft_once *o, uint32_t seen)
{
    if ((seen & WAITED) == 0) {
        if (weft_park_spin_(&o->word, seen))
            return WEFT_OK;
        if (!atomic_compare_exchange_strong_explicit(
                &o->word, &seen, seen | WAITED, memory_order_relaxed,
                memory_order_relaxed))
            return WEFT_OK;
    }
    enum weft_status s = weft_watch_block_(o, WEFT_KIND_ONCE, WEFT_FOREVER);
    if (s != WEFT_OK)
        return s;
    s = weft_park_wait_(&o->word, seen | WAITED, WEFT_FOREVER);
    weft_watch_unblock_();
    return s;
}

static bool
is_done(const weft_once *o)
{
    return atomic_load_explicit(&o->word, memory_order_relaxed) == DONE;
}

static enum weft_status
run_slow(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx)
{
    const uint32_t me = weft_self_tag_();

    if (weft_watching_() && fn != NULL && !is_done(o))
        weft_watch_wanted_(o, WEFT_KIND_ONCE, WEFT_FOREVER);
    for (;;) {
        /* acquire: done */
        uint32_t seen = atomic_load_explicit(&o->word, memory_order_acquire);
        if (seen == DONE) {
            if (weft_watching_())
                weft_watch_hears_(o, WEFT_KIND_ONCE);
            return WEFT_OK;
        }
        if (fn == NULL)
            return WEFT_INVALID;
        if ((seen & ~WAITED) == 0) {
            /* acquire: retry */
            if (atomic_compare_exchange_weak_explicit(
                    &o->word, &seen, me | seen, memory_order_acquire,
                    memory_order_relaxed))
                return run(o, fn, ctx);
            continue;
        }
        if ((seen & ~WAITED) == me)
            return WEFT_DEADLOCK;
        const enum weft_status s = wait_for_other(o, seen);
        if (s != WEFT_OK)
            return s;
    }
}

enum weft_status
weft_once_run_slow_(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx)
{
    WEFT_WATCH_CALL_();
    return run_slow(o, fn, ctx);
}

enum weft_status
weft_once_run(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx)
{
    WEFT_WATCH_CALL_();
    return run_slow(o, fn, ctx);
}

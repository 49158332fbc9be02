/* SPDX-License-Identifier: MIT */
/*
 * future.c - one word says how far it is.
 *
 *     state       left by    to
 *     PENDING     start      RUNNING
 *                 cancel     CANCELLED
 *                 set        SETTING
 *     RUNNING     set        SETTING                          of a promise
 *                 finish     RESULT, FAILED, BROKEN           of a pool's
 *     SETTING     set        RESULT, FAILED
 *     the others  nobody
 *
 *     AWAITED     somebody may sleep on the word.  Legal to be set without
 *                 anybody: a system call for nothing
 *     LISTED      somebody is to be told (future_lists.c).  The same: a lock for
 *                 nothing
 *     STOPPING    it was asked to stop
 *
 * Both flags are set in one step with seeing that it is not done, and the end
 * takes the word as a whole.  So the end finds the flag, or who would set it
 * finds the end.
 *
 * Who leaves PENDING for SETTING or CANCELLED, or RUNNING for SETTING, wins
 * against all others, and only who has won writes the result; a pool's RUNNING
 * is its worker's.  SETTING lasts a few instructions, and the time a message
 * takes to be written.
 *
 * Who sees the end may give the last handle back at once.  So whoever finishes
 * a future has a share of its own until it has told everybody.
 *
 * Ordering.
 *
 *     future.done   the result is written  ->  who finds the state reads it
 *     let_go        a share is given back  ->  the last one frees
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/park.h"
#include "base/patience.h"
#include "base/sched.h"
#include "base/self.h"
#include "deadlock/watch.h"
#include "pool/future_impl.h"
#include "pool/worker.h"

#define PENDING   WEFT_FUTURE_PENDING_
#define RUNNING   WEFT_FUTURE_RUNNING_
#define SETTING   WEFT_FUTURE_SETTING_
#define RESULT    WEFT_FUTURE_RESULT_
#define FAILED    WEFT_FUTURE_FAILED_
#define CANCELLED WEFT_FUTURE_CANCELLED_
#define BROKEN    WEFT_FUTURE_BROKEN_
#define AWAITED   WEFT_FUTURE_AWAITED_
#define LISTED    WEFT_FUTURE_LISTED_
#define STOPPING  WEFT_FUTURE_STOPPING_

static uint32_t
state_of(uint32_t word)
{
    return word & WEFT_FUTURE_STATE_;
}

static bool
is_end(uint32_t word)
{
    return state_of(word) >= RESULT;
}

static uint32_t
read_word(const weft_future *f)
{
    /* acquire: future.done */
    return atomic_load_explicit(&f->word, memory_order_acquire);
}

void
weft_future_init_(weft_future *f, uint32_t shares)
{
    *f = (weft_future){.generation = weft_self_generation_()};
    atomic_init(&f->shares, shares);
}

weft_future *
weft_future_new_(uint32_t shares)
{
    weft_future *f = weft_future_take_();

    if (f != NULL)
        weft_future_init_(f, shares);
    return f;
}

enum weft_status
weft_future_create(weft_future **out)
{
    if (out == NULL)
        return WEFT_INVALID;
    weft_future *f = weft_future_new_(1);
    if (f == NULL)
        return WEFT_NO_MEMORY;
    *out = f;
    return WEFT_OK;
}

weft_future *
weft_future_retain(weft_future *f)
{
    atomic_fetch_add_explicit(&f->shares, 1, memory_order_relaxed);
    return f;
}

void
weft_future_release(weft_future *f)
{
    /* acq_rel: let_go */
    if (f == NULL ||
        atomic_fetch_sub_explicit(&f->shares, 1, memory_order_acq_rel) != 1)
        return;
    weft_future_forget_(f);
    if (state_of(atomic_load_explicit(&f->word, memory_order_relaxed)) ==
        FAILED)
        weft_fail_free_(&f->error);
    weft_future_give_(f);
}

bool
weft_future_is_of_parent_(const weft_future *f)
{
    return f->generation != weft_self_generation_();
}

bool
weft_future_is_done(const weft_future *f)
{
    return is_end(read_word(f));
}

bool
weft_future_is_running(const weft_future *f)
{
    const uint32_t state = state_of(read_word(f));

    return state == RUNNING || state == SETTING;
}

bool
weft_future_is_cancelled(const weft_future *f)
{
    return state_of(read_word(f)) == CANCELLED;
}

enum weft_status
weft_future_peek_(const weft_future *f)
{
    switch (state_of(read_word(f))) {
    case RESULT:
        return WEFT_OK;
    case FAILED:
        return WEFT_FAILED;
    case CANCELLED:
        return WEFT_CANCELLED;
    case BROKEN:
        return WEFT_BROKEN;
    default:
        return WEFT_TIMEOUT;
    }
}

void
weft_future_request_stop(weft_future *f)
{
    atomic_fetch_or_explicit(&f->word, STOPPING, memory_order_relaxed);
}

bool
weft_future_is_stopping_(const weft_future *f)
{
    return (atomic_load_explicit(&f->word, memory_order_relaxed) & STOPPING) !=
           0;
}

/* The word was `w` and is an end now. */
static void
announce(weft_future *f, uint32_t w)
{
    if ((w & AWAITED) != 0)
        weft_park_wake_all_(&f->word);
    if ((w & LISTED) != 0)
        weft_future_tell_(f);
}

/* The caller alone may finish it, and has written the result. */
static void
finish(weft_future *f, uint32_t end)
{
    if (weft_watching_())
        weft_watch_tells_(f, WEFT_KIND_FUTURE, NULL, 1);
    WEFT_SCHED_POINT_("future.finish");
    /* release: future.done */
    announce(f, atomic_exchange_explicit(&f->word, end, memory_order_release));
}

/* Leave PENDING, or with `running` RUNNING, for `next`; false: it was neither,
 * and `*w` is what it is. */
static bool
leave(weft_future *f, bool running, uint32_t next, uint32_t *w)
{
    *w = read_word(f);
    do
        if (state_of(*w) != PENDING && (!running || state_of(*w) != RUNNING))
            return false;
    /* acq_rel: future.done */
    while (!atomic_compare_exchange_weak_explicit(
        &f->word, w, (*w & ~(uint32_t)WEFT_FUTURE_STATE_) | next,
        memory_order_acq_rel, memory_order_acquire));
    return true;
}

bool
weft_future_cancel(weft_future *f)
{
    uint32_t w = read_word(f);

    if (state_of(w) != PENDING)
        return state_of(w) == CANCELLED;
    weft_future_retain(f);
    const bool won = leave(f, false, CANCELLED, &w);
    if (won)
        announce(f, w);
    weft_future_release(f);
    return won || state_of(w) == CANCELLED;
}

enum weft_status
weft_future_start_(weft_future *f)
{
    uint32_t w;

    if (leave(f, false, RUNNING, &w))
        return WEFT_OK;
    return state_of(w) == CANCELLED ? WEFT_CANCELLED : WEFT_INVALID;
}

void
weft_future_finish_(weft_future *f, enum weft_status status, void *result,
                    const weft_error *error)
{
    if (status == WEFT_OK)
        f->result = result;
    else if (status == WEFT_FAILED)
        f->error = *error;
    finish(f, status == WEFT_OK       ? RESULT
              : status == WEFT_FAILED ? FAILED
                                      : BROKEN);
}

void
weft_future_finish_value_(weft_future *f, void *value)
{
    weft_error error;

    if (weft_fail_take_(value, &error))
        weft_future_finish_(f, WEFT_FAILED, NULL, &error);
    else
        weft_future_finish_(f, WEFT_OK, value, NULL);
}

enum weft_status
weft_future_start(weft_future *f)
{
    return !f->of_pool ? weft_future_start_(f) : WEFT_INVALID;
}

/* Win the right to set a promise, with a share. */
static bool
claim(weft_future *f)
{
    uint32_t w;

    if (f->of_pool || !leave(f, true, SETTING, &w))
        return false;
    weft_future_retain(f);
    WEFT_SCHED_POINT_("future.claimed");
    return true;
}

enum weft_status
weft_future_set_result(weft_future *f, void *result)
{
    if (!claim(f))
        return WEFT_INVALID;
    f->result = result;
    finish(f, RESULT);
    weft_future_release(f);
    return WEFT_OK;
}

enum weft_status
weft_future_set_error(weft_future *f, int code, const char *format, ...)
{
    va_list list;

    if (!claim(f))
        return WEFT_INVALID;
    va_start(list, format);
    f->error = weft_fail_make_(code, format, list);
    va_end(list);
    finish(f, FAILED);
    weft_future_release(f);
    return WEFT_OK;
}

enum weft_status
weft_future_on_done(weft_future *f, void (*fn)(weft_future *f, void *ctx),
                    void *ctx)
{
    enum weft_status s = WEFT_BUSY;

    if (fn == NULL)
        return WEFT_INVALID;
    if (!weft_future_is_done(f))
        s = weft_future_call_(f, fn, ctx);
    if (s != WEFT_BUSY)
        return s;
    const weft_error saved = weft_fail_save_();
    fn(f, ctx);
    weft_fail_restore_(saved);
    return WEFT_OK;
}

static void
unblock(void *unused)
{
    (void)unused;
    weft_watch_unblock_();
}

/* Sleep until it is done. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
sleep_until(weft_future *f, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;
    uint32_t w;

    pthread_cleanup_push(unblock, NULL);
    while (!is_end(w = read_word(f)) && s != WEFT_TIMEOUT) {
        if ((w & AWAITED) != 0 ||
            atomic_compare_exchange_weak_explicit(&f->word, &w, w | AWAITED,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
            s = weft_park_wait_cancel_(&f->word, w | AWAITED, deadline);
    }
    pthread_cleanup_pop(1);
    return is_end(w) ? WEFT_OK : WEFT_TIMEOUT;
}

/* Spin for a while; whether it is done. */
static bool
linger(weft_future *f)
{
    weft_patience_begin_(&weft_patience_, 1);
    do
        if (weft_future_is_done(f))
            return true;
    while (weft_patience_pause_(&weft_patience_));
    return false;
}

/* Sleep until it is done, having lingered. */
static enum weft_status
block(weft_future *f, weft_deadline deadline, const void *shown)
{
    enum weft_status s = weft_watch_block_(shown, WEFT_KIND_FUTURE, deadline);

    if (s == WEFT_OK)
        s = sleep_until(f, deadline);
    if (s == WEFT_OK)
        weft_patience_woken_(&weft_patience_);
    return s;
}

enum weft_status
weft_future_wait_(weft_future *f, weft_deadline deadline, const void *shown)
{
    enum weft_status s;

    if (weft_future_is_done(f))
        return WEFT_OK;
    if (deadline <= WEFT_NOW)
        return WEFT_TIMEOUT;
    if (weft_future_is_of_parent_(f))
        return WEFT_CLOSED;
    if (weft_worker_help_(f, deadline, shown, &s))
        return s;
    return linger(f) ? WEFT_OK : block(f, deadline, shown);
}

/* Wait, and go on behind who finished it. */
static inline enum weft_status
wait_for(weft_future *f, weft_deadline deadline)
{
    if (weft_watching_())
        weft_watch_awaits_(f, WEFT_KIND_FUTURE, NULL, deadline);
    const enum weft_status s = weft_future_wait_(f, deadline, f);
    if (s == WEFT_OK && weft_watching_())
        weft_watch_hears_(f, WEFT_KIND_FUTURE);
    return s;
}

enum weft_status
weft_future_wait(weft_future *f, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    return wait_for(f, deadline);
}

enum weft_status
weft_future_result(weft_future *f, weft_deadline deadline, void **result)
{
    WEFT_WATCH_CALL_();
    const enum weft_status s = wait_for(f, deadline);

    if (s != WEFT_OK)
        return s;
    const enum weft_status end = weft_future_peek_(f);
    if (end == WEFT_OK && result != NULL)
        *result = f->result;
    return end;
}

enum weft_status
weft_future_error(weft_future *f, weft_deadline deadline,
                  const weft_error **error)
{
    WEFT_WATCH_CALL_();
    const enum weft_status s = wait_for(f, deadline);

    if (s != WEFT_OK)
        return s;
    const enum weft_status end = weft_future_peek_(f);
    if (error != NULL && end == WEFT_OK)
        *error = NULL;
    else if (error != NULL && end == WEFT_FAILED)
        *error = &f->error;
    return end;
}

/* SPDX-License-Identifier: MIT */
/*
 * timer.c - one heap, one lock and one thread for all timers.
 *
 * The thread takes the earliest timer out when its time has come and calls it
 * without the lock.  A timer in the heap can still be cancelled; one that was
 * taken out runs.  So the lock decides, and nothing else has to.
 *
 * The thread sleeps until `wakes_at`, and only a timer earlier than that wakes
 * it before: most timers are started for later than some other, and most are
 * cancelled, and both cost no system call.  A timer that was cancelled leaves a
 * wake-up for nothing behind; the thread looks, and sleeps on.  Only when the
 * last timer is gone and the thread would still sleep for long it is woken, to
 * end soon.
 *
 * The thread ends when there was no timer for WEFT_TIMER_LINGER_MS, so a timer
 * that is started and cancelled over and over does not start a thread each
 * time.  The word `helper`:
 *
 *     ABSENT     there is no thread    left by a start, which starts one
 *     STARTING   somebody starts it    left by the thread, or by the start that
 *                                      has failed
 *     PRESENT    it takes timers       left by the thread, under the lock, when
 *                                      the heap is empty
 *
 * The lock is not held while a thread is started: that takes locks of others,
 * which fork() may hold while it asks for ours.  No timer enters the heap
 * before the thread is there, so a thread that cannot be started fails its own
 * start only.
 *
 * The word `state` of a timer: its phase, and AWAITED if somebody sleeps on it.
 * AWAITED is set by a compare-and-swap from PENDING, and the end of PENDING is
 * an exchange: either the end sees the bit and wakes, or the swap fails.
 *
 * fork().  The child has the timers and not the thread: they are cancelled, the
 * one that ran in the parent too, unless it is the one that called fork.
 *
 * Ordering.  The lock orders all but two edges:
 *
 *     end       the phase is stored   ->  a join loads it
 *     let_go    a hold is given up    ->  the last one frees
 */
#include <weft/timer.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/park.h"
#include "base/sched.h"
#include "deadlock/watch.h"
#include "thread/stacks.h"
#include "thread/timer_heap.h"

/* How long the thread stays without a timer [ms]. */
#define WEFT_TIMER_LINGER_MS 200

#define AWAKE INT64_MIN /* wakes_at of a thread that looks at the heap anyway */

enum { PENDING, RAN, CANCELLED, PHASE = 3, AWAITED = 4 };
enum { ABSENT, STARTING, PRESENT };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weft_timer_heap heap;
static uint64_t last_number;
static weft_timer *running; /* out of the heap */
static weft_deadline wakes_at = AWAKE;
static _Atomic uint32_t calls; /* the thread sleeps on it */
static _Atomic uint32_t helper = ABSENT;
static __thread bool is_helper;

static void
let_go(weft_timer *t)
{
    /* acq_rel: let_go */
    if (atomic_fetch_sub_explicit(&t->holds, 1, memory_order_acq_rel) == 1)
        free(t);
}

/* The timer thread's hold on `t` ends with this.  Under the lock: no fork comes
 * between the heap's forgetting a timer and its end. */
static void
end(weft_timer *t, uint32_t phase)
{
    /* release: end */
    if (atomic_exchange_explicit(&t->state, phase, memory_order_release) &
        AWAITED)
        weft_park_wake_all_(&t->state);
    let_go(t);
}

/* Under the lock, which is free meanwhile. */
static void
run_first(void)
{
    weft_timer *t = weft_timer_heap_remove_(&heap, 0);

    running = t;
    pthread_mutex_unlock(&lock);
    WEFT_SCHED_POINT_("timer.run");
    if (weft_watching_())
        weft_watch_hears_(t, WEFT_KIND_TIMER);
    t->fn(t->arg);
    if (weft_watching_())
        weft_watch_tells_(t, WEFT_KIND_TIMER, NULL, 1);
    pthread_mutex_lock(&lock);
    running = NULL;
    end(t, RAN);
}

/* Under the lock, which is free meanwhile. */
static void
sleep_until(weft_deadline when)
{
    const uint32_t seen = atomic_load_explicit(&calls, memory_order_relaxed);

    wakes_at = when;
    pthread_mutex_unlock(&lock);
    (void)!weft_park_wait_(&calls, seen, when);
    pthread_mutex_lock(&lock);
    wakes_at = AWAKE;
}

/* Let the thread look before it would; true if it is to be woken. */
static bool
call_for(weft_deadline when)
{
    if (when >= wakes_at)
        return false;
    wakes_at = when;
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    return true;
}

static void
set_helper(uint32_t state)
{
    atomic_store_explicit(&helper, state, memory_order_relaxed);
    weft_park_wake_all_(&helper);
}

static void *
serve(void *arg)
{
    weft_deadline idle_until = WEFT_FOREVER;

    is_helper = true;
    pthread_mutex_lock(&lock);
    set_helper(PRESENT);
    for (;;) {
        const int64_t now = weft_clock_ns_();
        if (heap.count > 0) {
            idle_until = WEFT_FOREVER;
            if (heap.nodes[0].when <= now)
                run_first();
            else
                sleep_until(heap.nodes[0].when);
        } else if (idle_until == WEFT_FOREVER) {
            idle_until = weft_in_ms(WEFT_TIMER_LINGER_MS);
        } else if (idle_until > now) {
            sleep_until(idle_until);
        } else {
            break;
        }
    }
    weft_timer_heap_clear_(&heap);
    atomic_store_explicit(&helper, ABSENT, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return arg;
}

/* Start the thread; what signals it may get is not the caller's choice. */
static int
start_helper(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    sigset_t all;
    sigset_t mine;
    int error = pthread_attr_init(&detached);

    if (error != 0)
        return error;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    weft_stacks_let_through_(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine);
    error = pthread_create(&thread, &detached, serve, NULL);
    if (error == 0)
        (void)pthread_setname_np(thread, "weft-timer");
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    pthread_attr_destroy(&detached);
    return error;
}

/* Take the lock, with the thread there; else an error number and no lock. */
static int
lock_with_helper(void)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        const uint32_t state =
            atomic_load_explicit(&helper, memory_order_relaxed);
        if (state == PRESENT)
            return 0;
        if (state == ABSENT)
            atomic_store_explicit(&helper, STARTING, memory_order_relaxed);
        pthread_mutex_unlock(&lock);
        if (state == ABSENT) {
            const int error = start_helper();
            if (error != 0) {
                set_helper(ABSENT);
                return error;
            }
        }
        (void)!weft_park_wait_(&helper, STARTING, WEFT_FOREVER);
    }
}

/* Put `t` into the heap and wake the thread if it is the earliest. */
static enum weft_status
enter(weft_timer *t, weft_timer **out, weft_deadline when)
{
    const int error = lock_with_helper();
    if (error != 0) {
        errno = error;
        return WEFT_SYSTEM;
    }
    const struct weft_timer_node node = {when, ++last_number, t};
    const bool entered = weft_timer_heap_add_(&heap, node);
    const bool wake = entered && call_for(when);
    if (entered && out != NULL)
        *out = t; /* before it runs */
    pthread_mutex_unlock(&lock);
    if (wake)
        weft_park_wake_(&calls, 1);
    return entered ? WEFT_OK : WEFT_NO_MEMORY;
}

enum weft_status
weft_timer_start(weft_timer **out, weft_deadline when, void (*fn)(void *arg),
                 void *arg)
{
    if (fn == NULL)
        return WEFT_INVALID;
    weft_timer *t = malloc(sizeof(*t));
    if (t == NULL)
        return WEFT_NO_MEMORY;
    t->place = WEFT_TIMER_NOWHERE;
    atomic_init(&t->state, PENDING);
    atomic_init(&t->holds, out != NULL ? 2 : 1);
    t->fn = fn;
    t->arg = arg;
    if (weft_watching_()) {
        weft_watch_forgets_(t, sizeof(*t));
        weft_watch_tells_(t, WEFT_KIND_TIMER, NULL, 1);
    }
    const enum weft_status s = enter(t, out, when);
    if (s != WEFT_OK)
        free(t);
    return s;
}

bool
weft_timer_cancel(weft_timer *t)
{
    bool wake = false;

    pthread_mutex_lock(&lock);
    if (t->place != WEFT_TIMER_NOWHERE) {
        weft_timer_heap_remove_(&heap, t->place);
        end(t, CANCELLED);
        if (heap.count == 0)
            wake = call_for(weft_in_ms(WEFT_TIMER_LINGER_MS));
    }
    pthread_mutex_unlock(&lock);
    if (wake)
        weft_park_wake_(&calls, 1);
    return (atomic_load_explicit(&t->state, memory_order_relaxed) & PHASE) ==
           CANCELLED;
}

static void
stop_waiting(void *unused)
{
    (void)unused;
    weft_watch_unblock_();
}

/* Sleep until `t` may have ended. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_for_end(weft_timer *t, uint32_t state, weft_deadline deadline)
{
    enum weft_status s = weft_watch_block_(t, WEFT_KIND_TIMER, deadline);

    if (s != WEFT_OK)
        return s;
    pthread_cleanup_push(stop_waiting, NULL);
    s = weft_park_wait_cancel_(&t->state, state, deadline);
    pthread_cleanup_pop(true);
    return s;
}

enum weft_status
weft_timer_join(weft_timer *t, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;

    WEFT_WATCH_CALL_();
    for (;;) {
        /* acquire: end */
        uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);
        if ((state & PHASE) != PENDING) {
            if (weft_watching_())
                weft_watch_hears_(t, WEFT_KIND_TIMER);
            return (state & PHASE) == RAN ? WEFT_OK : WEFT_CANCELLED;
        }
        if (s != WEFT_OK)
            return s;
        if (is_helper && deadline > weft_clock_ns_())
            return WEFT_DEADLOCK;
        if (deadline <= WEFT_NOW)
            return WEFT_TIMEOUT;
        if (!(state & AWAITED) &&
            !atomic_compare_exchange_strong_explicit(
                &t->state, &state, state | AWAITED, memory_order_relaxed,
                memory_order_relaxed))
            continue;
        s = wait_for_end(t, state | AWAITED, deadline);
    }
}

void
weft_timer_release(weft_timer *t)
{
    if (t != NULL)
        let_go(t);
}

static void
before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void
in_child(void)
{
    for (size_t i = 0; i < heap.count; i++) {
        heap.nodes[i].timer->place = WEFT_TIMER_NOWHERE;
        end(heap.nodes[i].timer, CANCELLED);
    }
    weft_timer_heap_clear_(&heap);
    if (!is_helper) {
        if (running != NULL)
            end(running, CANCELLED);
        running = NULL;
        wakes_at = AWAKE;
        atomic_store_explicit(&helper, ABSENT, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void
register_fork_handlers(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
}

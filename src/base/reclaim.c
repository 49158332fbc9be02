/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - grace periods by liburcu, and one helper that waits for them.
 *
 * Why not call_rcu.  liburcu's own worker thread lives as long as the process,
 * so a process whose main thread leaves by pthread_exit never ends; every
 * forked child gets a worker at once, needed or not; and where no thread can be
 * started or malloc fails, it aborts.  Why not wait in the thread that defers:
 * a reader that is stopped would then stop it, and no structure that gives
 * memory back could be lock-free.
 *
 * Objects are pushed on one list and taken off it all at once, so the list
 * needs no protection against reuse.  Whoever has taken a batch holds `work`
 * until it is given back; who gets `work` next knows that nothing is in flight.
 * That is all a barrier and a fork need.  (This mutex is the system's: who
 * holds it waits for readers, which happens inside liburcu and not in
 * base/park.h either.)
 *
 * The word `helper`:
 *
 *     ABSENT    there is no thread    left by a defer, which starts one
 *     RESTING   it sleeps             left by a defer, which wakes it, and by
 *                                     the helper, which ends
 *     BUSY      it will take all      left by the helper only
 *
 * Illegal: BUSY, a list that is not empty, and nobody who will take it.  The
 * defer that makes the list not empty sets BUSY by an exchange.  If that comes
 * before the helper's exchange to RESTING, the helper sees the list (edge
 * `rest`) and goes on; if it comes after, it finds RESTING or ABSENT and acts.
 * A defer that finds the list in use need not: somebody before it does.  It
 * looks at the word all the same, since in a forked child that somebody is
 * gone; a stale look costs one exchange too many.
 *
 * Ordering.
 *
 *     retire      a defer pushes           ->  take_all, then give_back
 *     rest        a defer sets BUSY        ->  the helper rests, sees the list
 *
 * A third edge, from a reader's leave to give_back, is liburcu's; inline
 * assembly makes it, so ThreadSanitizer is told of it by hand.
 */
#include "base/reclaim.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/panic.h"
#include "base/park.h"

#define GATHER_MS 1 /* a grace period serves what comes in so long */

enum { ABSENT, RESTING, BUSY };

static _Atomic(struct weft_retired *) retired;
static _Atomic uint32_t helper = ABSENT;
static pthread_mutex_t work = PTHREAD_MUTEX_INITIALIZER;

char weft_reclaim_grace_;

void
weft_reclaim_synchronize_(void)
{
    weft_assert_(!urcu_bp_read_ongoing(), &retired);
    urcu_bp_synchronize_rcu();
    weft_tsan_acquire_(&weft_reclaim_grace_);
}

static struct weft_retired *
take_all(void)
{
    /* acquire: retire */
    return atomic_exchange_explicit(&retired, NULL, memory_order_acquire);
}

/* Give all back; `work` is held. */
static void
give_all_back(void)
{
    struct weft_retired *r = take_all();

    if (r != NULL)
        weft_reclaim_synchronize_();
    while (r != NULL) {
        struct weft_retired *next = r->next;
        r->give_back(r);
        r = next;
    }
}

void
weft_reclaim_barrier_(void)
{
    pthread_mutex_lock(&work);
    give_all_back();
    pthread_mutex_unlock(&work);
}

/* Rest until there is work; false if there is none for long. */
static bool
rest(void)
{
    const weft_deadline end = weft_in_ms(WEFT_RECLAIM_LINGER_MS);

    /* acq_rel: rest */
    atomic_exchange_explicit(&helper, RESTING, memory_order_acq_rel);
    if (atomic_load_explicit(&retired, memory_order_relaxed) != NULL) {
        /* Not a store: it would cut the edge from a defer that set BUSY just
         * before to the next rest. */
        /* acq_rel: rest */
        atomic_exchange_explicit(&helper, BUSY, memory_order_acq_rel);
        return true;
    }
    while (atomic_load_explicit(&helper, memory_order_relaxed) == RESTING) {
        uint32_t seen = RESTING;
        if (weft_park_wait_(&helper, RESTING, end) == WEFT_TIMEOUT &&
            atomic_compare_exchange_strong_explicit(&helper, &seen, ABSENT,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed))
            return false;
    }
    return true;
}

static void *
help(void *arg)
{
    pthread_setname_np(pthread_self(), "weft-reclaim");
    do {
        /* Nobody changes BUSY but we: this sleeps, and gathers. */
        (void)!weft_park_wait_(&helper, BUSY, weft_in_ms(GATHER_MS));
        weft_reclaim_barrier_();
    } while (rest());
    return arg;
}

static bool
start_helper(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    sigset_t all;
    sigset_t mine;

    if (pthread_attr_init(&detached) != 0)
        return false;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine); /* it inherits them blocked */
    const int error = pthread_create(&thread, &detached, help, NULL);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    pthread_attr_destroy(&detached);
    return error == 0;
}

/* No thread can be started: give back here, unless that could not end. */
static void
do_without_helper(void)
{
    atomic_store_explicit(&helper, ABSENT, memory_order_relaxed);
    if (urcu_bp_read_ongoing() || pthread_mutex_trylock(&work) != 0)
        return; /* the next defer tries again */
    give_all_back();
    pthread_mutex_unlock(&work);
}

static void
call_helper(void)
{
    /* acq_rel: rest */
    switch (atomic_exchange_explicit(&helper, BUSY, memory_order_acq_rel)) {
    case RESTING:
        weft_park_wake_(&helper, 1);
        break;
    case ABSENT:
        if (!start_helper())
            do_without_helper();
        break;
    }
}

void
weft_reclaim_defer_(struct weft_retired *r,
                    void (*give_back)(struct weft_retired *r))
{
    struct weft_retired *head =
        atomic_load_explicit(&retired, memory_order_relaxed);

    r->give_back = give_back;
    do
        r->next = head;
    while (!atomic_compare_exchange_weak_explicit(
        /* release: retire */
        &retired, &head, r, memory_order_release, memory_order_relaxed));
    if (head == NULL ||
        atomic_load_explicit(&helper, memory_order_relaxed) != BUSY)
        call_helper();
}

/* No batch is in flight while the process is copied. */
static void
before_fork(void)
{
    pthread_mutex_lock(&work);
    urcu_bp_before_fork();
}

static void
after_fork_parent(void)
{
    urcu_bp_after_fork_parent();
    pthread_mutex_unlock(&work);
}

static void
after_fork_child(void)
{
    urcu_bp_after_fork_child();
    atomic_store_explicit(&helper, ABSENT, memory_order_relaxed);
    pthread_mutex_unlock(&work);
}

/* Before any thread can read: a reader's first call locks, too. */
__attribute__((constructor)) static void
register_fork_handlers(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

/* SPDX-License-Identifier: MIT */
/*
 * pool.c - the life of a pool.
 *
 *     open      takes tasks
 *     CLOSED    takes none; what it has is run, or cancelled
 *     BROKEN    CLOSED because an initializer has failed; what had not begun is
 *               broken off
 *     OVER      CLOSED, and every worker has found nothing left to do
 *
 * The end.  Once the queue is closed and drained, only what runs can bring more
 * work, by forks, and it joins them before it ends.  So a worker that finds
 * nothing counts itself as idle while it sleeps; when all are, it is OVER, and
 * they leave.  One that leaves before, because its initializer has failed or
 * because its task called exit(), is idle for good.
 *
 * exit().  A hook closes every pool and waits for its workers, except for the
 * pool in one of whose tasks it is called.  Workers are daemons, as the hook has
 * waited for them already when Weft waits for threads.
 *
 * fork().  The child has pools without workers, each known by the count of forks
 * that it was made after.  They are left alone: whatever held a lock of theirs
 * is gone.
 *
 * Ordering.
 *
 *     pool.open     all workers are started       ->  a worker begins
 *     default       the default pool is there     ->  another call finds it
 *     let_go        a share is given back         ->  the last one frees
 *     idle          a worker found nothing        ->  the last one says OVER
 */
#include "pool/pool_impl.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/park.h"
#include "deadlock/watch.h"
#include "pool/future_impl.h"
#include "thread/thread.h"

#define NAME_BYTES 256

_Atomic uint32_t weft_pool_forks_;

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static weft_pool *all;
static _Atomic(weft_pool *) default_pool;

/* --- the list of all --------------------------------------------------------- */

static void
list(weft_pool *p)
{
    pthread_mutex_lock(&list_lock);
    p->next = all;
    if (all != NULL)
        all->previous = p;
    all = p;
    p->listed = true;
    pthread_mutex_unlock(&list_lock);
}

/* Under the list's lock. */
static void
unlist(weft_pool *p)
{
    if (!p->listed)
        return;
    p->listed = false;
    if (p->next != NULL)
        p->next->previous = p->previous;
    if (p->previous != NULL)
        p->previous->next = p->next;
    else
        all = p->next;
}

/* Take one off the list, with a share in it; NULL: there is none left. */
static weft_pool *
take_listed(void)
{
    pthread_mutex_lock(&list_lock);
    weft_pool *p = all;
    while (p != NULL) {
        uint32_t n = atomic_load_explicit(&p->shares, memory_order_relaxed);
        unlist(p);
        while (n != 0 && !atomic_compare_exchange_weak_explicit(
                             &p->shares, &n, n + 1, memory_order_relaxed,
                             memory_order_relaxed))
            ;
        if (n != 0)
            break;
        p = all; /* somebody is about to free that one */
    }
    pthread_mutex_unlock(&list_lock);
    return p;
}

/* --- the end ------------------------------------------------------------------ */

/* All that a pool has; no worker runs. */
static void
free_pool(weft_pool *p, unsigned lanes)
{
    for (unsigned i = 0; i < lanes; i++) {
        weft_thread_release(p->lanes[i].thread);
        weft_lane_fini_(&p->lanes[i]);
    }
    weft_pool_queue_fini_(p);
    free(p->lanes);
    free(p);
    weft_future_trim_();
}

void
weft_pool_let_go_(weft_pool *p)
{
    /* acq_rel: let_go */
    if (atomic_fetch_sub_explicit(&p->shares, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_lock(&list_lock);
    unlist(p);
    pthread_mutex_unlock(&list_lock);
    free_pool(p, p->started);
}

enum weft_status
weft_pool_refusal_(const weft_pool *p)
{
    if (weft_pool_is_of_parent_(p))
        return WEFT_CLOSED;
    const uint32_t state =
        atomic_load_explicit(&p->state, memory_order_relaxed);
    if (__builtin_expect(state == 0, 1))
        return WEFT_OK;
    return (state & WEFT_POOL_BROKEN) != 0 ? WEFT_BROKEN : WEFT_CLOSED;
}

void
weft_pool_close_(weft_pool *p, uint32_t why)
{
    atomic_fetch_or_explicit(&p->state, why, memory_order_relaxed);
    weft_pool_queue_close_(p);
    if (p->bounded)
        (void)weft_semaphore_release(&p->room, 1);
    if ((why & WEFT_POOL_BROKEN) != 0)
        weft_pool_drop_all_(p, WEFT_BROKEN);
    weft_crowd_wake_all_(p);
}

void
weft_pool_idle_(weft_pool *p)
{
    /* acq_rel: idle */
    if (atomic_fetch_add_explicit(&p->idle, 1, memory_order_acq_rel) + 1 !=
        p->started)
        return;
    atomic_fetch_or_explicit(&p->state, WEFT_POOL_OVER, memory_order_relaxed);
    weft_crowd_wake_all_(p);
}

/* Wait for the workers. */
static enum weft_status
join_workers(weft_pool *p, weft_deadline deadline)
{
    for (unsigned i = 0; i < p->started; i++) {
        const enum weft_status s =
            weft_thread_join(p->lanes[i].thread, deadline, NULL);
        if (s != WEFT_OK)
            return s;
    }
    return WEFT_OK;
}

static bool
is_inside(const weft_pool *p)
{
    return weft_here_.lane != NULL && weft_here_.lane->pool == p;
}

enum weft_status
weft_pool_shutdown(weft_pool *p, enum weft_shutdown how, weft_deadline deadline)
{
    if ((unsigned)how > WEFT_CANCEL_PENDING)
        return WEFT_INVALID;
    if (weft_pool_is_of_parent_(p))
        return WEFT_CLOSED;
    if (is_inside(p) && deadline > WEFT_NOW)
        return WEFT_DEADLOCK;
    weft_pool_close_(p, WEFT_POOL_CLOSED);
    if (how == WEFT_CANCEL_PENDING)
        weft_pool_drop_all_(p, WEFT_CANCELLED);
    return is_inside(p) ? WEFT_TIMEOUT : join_workers(p, deadline);
}

void
weft_pool_release(weft_pool *p)
{
    if (p == NULL || weft_pool_is_of_parent_(p))
        return;
    weft_pool_close_(p, WEFT_POOL_CLOSED);
    weft_pool_let_go_(p);
}

void
weft_pool_destroy(weft_pool *p)
{
    if (p != NULL && !weft_pool_is_of_parent_(p) && !is_inside(p)) {
        weft_pool_close_(p, WEFT_POOL_CLOSED);
        (void)join_workers(p, WEFT_FOREVER);
    }
    weft_pool_release(p);
}

/* --- the beginning -------------------------------------------------------------- */

/* The i-th CPU that this thread may use, round and round; false: not known. */
static bool
cpu_of(unsigned i, unsigned *cpu)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return false;
    const int n = CPU_COUNT(&set);
    if (n == 0)
        return false;
    unsigned left = i % (unsigned)n;
    for (*cpu = 0; !CPU_ISSET(*cpu, &set) || left-- > 0; ++*cpu)
        ;
    return true;
}

static enum weft_status
start_worker(weft_pool *p, unsigned i, const weft_pool_options *o)
{
    char name[NAME_BYTES];
    weft_thread_options thread = {
        .name = name, .daemon = WEFT_DAEMON_YES, .stack_bytes = o->stack_bytes};
    const char *prefix = o->name_prefix != NULL ? o->name_prefix : "weft-pool";
    /* The number is what tells them apart: it is never cut. */
    const int room = NAME_BYTES - (int)sizeof("-4294967295");

    snprintf(name, sizeof(name), "%.*s-%u", room, prefix, i);
    thread.pin = o->pin && cpu_of(i, &thread.cpu);
    return weft_thread_start(&p->lanes[i].thread, weft_worker_main_,
                             &p->lanes[i], &thread);
}

/* As many as can be had; else why there is none. */
static enum weft_status
start_workers(weft_pool *p, unsigned n, const weft_pool_options *o)
{
    enum weft_status s = WEFT_OK;

    while (p->started < n && s == WEFT_OK) {
        s = weft_lane_init_(&p->lanes[p->started], p, p->started);
        if (s == WEFT_OK)
            s = start_worker(p, p->started, o);
        if (s == WEFT_OK)
            p->started++;
    }
    if (p->started == 0)
        return s;
    if (p->started < n)
        weft_lane_fini_(&p->lanes[p->started]);
    atomic_init(&p->shares, p->started + 1);
    list(p);
    /* release: pool.open */
    atomic_store_explicit(&p->open, 1, memory_order_release);
    weft_park_wake_all_(&p->open);
    return WEFT_OK;
}

/* A pool without workers; NULL: no memory. */
static weft_pool *
new_pool(unsigned n, const weft_pool_options *o)
{
    weft_pool *p = aligned_alloc(WEFT_CACHE_PAIR, sizeof(*p));

    if (p == NULL)
        return NULL;
    memset(p, 0, sizeof(*p));
    const unsigned cpus = weft_cpu_count();
    p->locked = o->impl == WEFT_MUTEX;
    p->bounded = o->max_pending != 0 && o->max_pending < UINT32_MAX;
    p->searchers_most = weft_park_may_spin_() ? (cpus + 1) / 2 : 0;
    p->forks = atomic_load_explicit(&weft_pool_forks_, memory_order_relaxed);
    p->initializer = o->initializer;
    p->drop = o->drop;
    p->ctx = o->ctx;
    if (p->bounded) {
        (void)!weft_semaphore_init(&p->room, (uint32_t)o->max_pending,
                                   WEFT_NO_MAX);
        if (weft_watching_())
            weft_watch_is_no_lock_(&p->room);
    }
    p->lanes = aligned_alloc(WEFT_CACHE_PAIR, n * sizeof(*p->lanes));
    if (p->lanes != NULL)
        memset(p->lanes, 0, n * sizeof(*p->lanes));
    if (p->lanes == NULL || weft_pool_queue_init_(p) != WEFT_OK) {
        free_pool(p, 0);
        return NULL;
    }
    return p;
}

enum weft_status
weft_pool_create(weft_pool **out, const weft_pool_options *options)
{
    static const weft_pool_options defaults;
    const weft_pool_options *o = options != NULL ? options : &defaults;

    if (out == NULL || (unsigned)o->impl > WEFT_MUTEX)
        return WEFT_INVALID;
    const unsigned n = o->workers != 0 ? o->workers : weft_cpu_count();
    if (n > WEFT_WORKERS_MOST)
        return WEFT_INVALID;
    weft_pool *p = new_pool(n, o);
    if (p == NULL)
        return WEFT_NO_MEMORY;
    const enum weft_status s = start_workers(p, n, o);
    if (s != WEFT_OK) {
        const int saved = errno;
        free_pool(p, 1);
        errno = saved;
        return s;
    }
    *out = p;
    return WEFT_OK;
}

/* No lock is held meanwhile, which fork() could ask for: two threads may make
 * one each, and one of the two goes. */
weft_pool *
weft_pool_default(void)
{
    /* acquire: default */
    weft_pool *there =
        atomic_load_explicit(&default_pool, memory_order_acquire);
    weft_pool *p;

    if (there != NULL || weft_pool_create(&p, NULL) != WEFT_OK)
        return there;
    /* acq_rel: default */
    if (atomic_compare_exchange_strong_explicit(&default_pool, &there, p,
                                                memory_order_acq_rel,
                                                memory_order_acquire))
        return p;
    weft_pool_destroy(p);
    return there;
}

/* --- what is to be known --------------------------------------------------------- */

bool
weft_pool_is_broken(const weft_pool *p)
{
    return (atomic_load_explicit(&p->state, memory_order_relaxed) &
            WEFT_POOL_BROKEN) != 0;
}

unsigned
weft_pool_workers(const weft_pool *p)
{
    return p->started;
}

void
weft_pool_get_stats(const weft_pool *p, weft_pool_stats *out)
{
    weft_pool_stats stats = {0};

    for (unsigned i = 0; i < p->started; i++) {
        const struct weft_lane *lane = &p->lanes[i];
        stats.stolen +=
            atomic_load_explicit(&lane->stolen, memory_order_relaxed);
        stats.parked +=
            atomic_load_explicit(&lane->parked, memory_order_relaxed);
        stats.injected +=
            atomic_load_explicit(&lane->injected, memory_order_relaxed);
    }
    stats.executed = stats.stolen + stats.injected;
    if (!weft_pool_is_of_parent_(p)) /* it asks with the pool's lock */
        stats.pending = weft_pool_queue_size_((weft_pool *)(uintptr_t)p);
    stats.injected +=
        atomic_load_explicit(&p->dropped, memory_order_relaxed) + stats.pending;
    *out = stats;
}

/* --- exit() and fork() ------------------------------------------------------------ */

static void
at_exit(void)
{
    weft_pool *p;

    while ((p = take_listed()) != NULL) {
        weft_pool_close_(p, WEFT_POOL_CLOSED);
        if (is_inside(p))
            weft_pool_idle_(p);
        else
            (void)join_workers(p, WEFT_FOREVER);
        weft_pool_let_go_(p);
    }
}

static void
before_fork(void)
{
    pthread_mutex_lock(&list_lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&list_lock);
}

/* The calling thread is no worker any more. */
static void
in_child(void)
{
    atomic_fetch_add_explicit(&weft_pool_forks_, 1, memory_order_relaxed);
    all = NULL;
    atomic_store_explicit(&default_pool, NULL, memory_order_relaxed);
    weft_here_ = (struct weft_here){NULL, NULL};
    after_fork();
}

__attribute__((constructor)) static void
begin(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
    (void)weft_at_exit_(at_exit);
}

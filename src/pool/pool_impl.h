/* SPDX-License-Identifier: MIT */
/*
 * pool/pool_impl.h - the inside of a pool: its queue, its lanes, and who of its
 * workers sleeps.
 *
 * A lane is what a worker has for itself: its deque, its thread, where it
 * sleeps.  What there is to do is in one of two places:
 *
 *     the queue   what came from outside, in three priorities  (pool_queue.c)
 *     a deque     what a strand has forked                     (strand.c)
 *
 * WEFT_MUTEX keeps both under the pool's lock; the other form has an intake for
 * each priority (intake.h) and deques of its own.  All else is the same for both: the life
 * of a pool (pool.c), submission (pool_submit.c), what a worker does (worker.c),
 * and how it sleeps (crowd.c).
 *
 *     agree    a store before weft_pool_agree_  ->  a load after another's
 *
 * Shares.  The owner has one, and each worker until it ends; with the last the
 * pool is freed.
 */
#ifndef WEFT_POOL_POOL_IMPL_H
#define WEFT_POOL_POOL_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/mutex.h>
#include <weft/pool.h>
#include <weft/semaphore.h>
#include <weft/thread.h>

#include "base/cacheline.h"
#include "base/patience.h"
#include "base/tsan.h"
#include "pool/intake.h"

/* How many forks of one worker can be open [tasks]. */
#define WEFT_LANE_SLOTS ((size_t)1 << 20)

#define WEFT_PRIORITIES 3

/* What a create asks the system for, at most. */
#define WEFT_WORKERS_MOST 65536

/* What a sleeper can be woken for. */
enum {
    WEFT_LANE_AWAKE = 0,
    WEFT_LANE_FOR_ALL = 1,  /* all that there is to do */
    WEFT_LANE_FOR_FORKS = 2 /* what strands have forked only */
};

/* Where its worker is counted; crowd.c. */
enum weft_lane_mode { WEFT_LANE_BUSY, WEFT_LANE_SEARCHING, WEFT_LANE_LAIN };

struct weft_lane {
    weft_worker worker; /* first; thieves write it seldom */
    weft_task **slots;
    weft_task **end;
    weft_pool *pool;
    weft_thread *thread;
    unsigned index;
    uint32_t random;                /* the owner's */
    enum weft_lane_mode mode;       /* the owner's */
    struct weft_patience_ patience; /* of its searches */

    /* strand.c: the public part of the deque. */
    _Alignas(WEFT_CACHE_PAIR) _Atomic uint64_t range;

    /* crowd.c: what it sleeps on. */
    _Alignas(WEFT_CACHE_PAIR) _Atomic uint32_t asleep;

    /* Written by the owner. */
    _Atomic uint64_t stolen;
    _Atomic uint64_t parked;
    _Atomic uint64_t injected;
};

/* The bits of a pool's state; none is ever taken back. */
enum {
    WEFT_POOL_CLOSED = 1, /* takes no more tasks */
    WEFT_POOL_BROKEN = 2, /* an initializer has failed; also CLOSED */
    WEFT_POOL_OVER = 4    /* closed, and there is nothing left to do */
};

/* Jobs in a circle; pool_queue.c. */
struct weft_jobs {
    struct weft_job_ *at;
    size_t length; /* [jobs] */
    size_t first;
    size_t count;
};

struct weft_pool {
    /* Constant once the workers run. */
    bool locked; /* WEFT_MUTEX */
    bool bounded;
    unsigned started; /* workers */
    unsigned searchers_most;
    uint32_t forks; /* which fork() it was made after */
    struct weft_lane *lanes;
    enum weft_status (*initializer)(void *ctx);
    void (*drop)(void *arg, void *ctx);
    void *ctx;

    _Atomic uint32_t open; /* 1: all workers are started */
    _Atomic uint32_t shares;
    _Atomic uint32_t idle; /* workers that found nothing after the close */
    _Atomic uint64_t dropped;
    weft_semaphore room; /* of max_pending */
    weft_pool *next;     /* in the list of all, under its lock */
    weft_pool *previous;
    bool listed;

    _Alignas(WEFT_CACHE_PAIR) _Atomic uint32_t state;
    _Atomic bool is_used[WEFT_PRIORITIES]; /* something was once put there */
    _Atomic uint64_t crowd;                /* crowd.c */

    /* WEFT_MUTEX. */
    _Alignas(WEFT_CACHE_PAIR) weft_mutex lock;
    struct weft_jobs jobs[WEFT_PRIORITIES];
    bool closed;

    /* Not WEFT_MUTEX. */
    struct weft_intake intakes[WEFT_PRIORITIES];
};

/* --- pool.c ------------------------------------------------------------- */

/* How often this process's ancestors have forked, pools being there. */
extern _Atomic uint32_t weft_pool_forks_;

/* Whether it was made by a process that forked this one. */
static inline bool
weft_pool_is_of_parent_(const weft_pool *p)
{
    return p->forks !=
           atomic_load_explicit(&weft_pool_forks_, memory_order_relaxed);
}

/* Why a task is not taken. */
enum weft_status weft_pool_refusal_(const weft_pool *p);

/* Take no more tasks; `why` has CLOSED and may have BROKEN. */
void weft_pool_close_(weft_pool *p, uint32_t why);

/* One worker more has nothing left to do, or does nothing any more. */
void weft_pool_idle_(weft_pool *p);

/* Give a share back. */
void weft_pool_let_go_(weft_pool *p);

/* --- pool_queue.c -------------------------------------------------------- */

/* WEFT_OK; WEFT_NO_MEMORY. */
enum weft_status weft_pool_queue_init_(weft_pool *p);
void weft_pool_queue_fini_(weft_pool *p);

/* WEFT_OK; else weft_pool_refusal_, or WEFT_NO_MEMORY. */
enum weft_status weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                                      enum weft_priority priority);

/* Let no put succeed. */
void weft_pool_queue_close_(weft_pool *p);

/* The oldest job of that priority; false: there is none. */
bool weft_pool_queue_take_(weft_pool *p, enum weft_priority priority,
                           struct weft_job_ *job);

/* Whether it is closed and no take will succeed again. */
bool weft_pool_queue_is_drained_(weft_pool *p);

/* Whether a take would succeed now. */
bool weft_pool_queue_is_ready_(weft_pool *p);

size_t weft_pool_queue_size_(weft_pool *p);

/* --- pool_submit.c --------------------------------------------------------- */

/* Run what was taken out of the queue, in the calling worker's strand `s`. */
void weft_pool_run_job_(weft_pool *p, weft_strand s, struct weft_job_ job);

/* None of those that are in the queue will ever run. */
void weft_pool_drop_all_(weft_pool *p, enum weft_status why);

/* --- strand.c ------------------------------------------------------------ */

/* WEFT_OK; WEFT_NO_MEMORY. */
enum weft_status weft_lane_init_(struct weft_lane *lane, weft_pool *p,
                                 unsigned index);
void weft_lane_fini_(struct weft_lane *lane);

/* A strand that has no deque: what it forks runs at once. */
weft_strand weft_strand_without_deque_(void);

/* Let others take all that `s` has forked: its thread will be at something else
 * for long. */
void weft_strand_publish_(weft_strand s);

/* The calling thread is the worker of `thief`: run the oldest task of `victim`
 * that can be had, in strand `s`; false: there was none. */
bool weft_lane_steal_and_run_(struct weft_lane *thief, struct weft_lane *victim,
                              weft_strand s);

/* Ask all to make tasks public. */
void weft_lanes_ask_(weft_pool *p);

/* Whether somebody has a public task. */
bool weft_lanes_have_work_(weft_pool *p);

/* --- worker.c -------------------------------------------------------------- */

/* What a worker of Weft is just doing; a list, the innermost first. */
struct weft_frame {
    struct weft_frame *below;
    weft_future *future; /* of the task, or what it is a part of; NULL: none */
    weft_strand strand;  /* worker NULL: a strand runs that nobody knows here */
};

/* Who the calling thread is; lane NULL: no worker. */
struct weft_here {
    struct weft_lane *lane;
    struct weft_frame *frame;
};

extern __thread struct weft_here weft_here_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The strand for what runs on top of what the calling worker does now. */
weft_strand weft_worker_strand_(void);

/* Run `t->fn(s, t)`, as a part of what has `future`, which may be NULL. */
void weft_worker_run_strand_(weft_strand s, weft_task *t, weft_future *future);

/* What a thread of the pool runs; `lane` is a struct weft_lane. */
void *weft_worker_main_(void *lane);

/* Run one task of those there are, on top of what waits; false: there was
 * none. */
bool weft_worker_run_one_(struct weft_lane *lane);

/* Run what others have forked, in strand `s`, until `*word` is `done`; while it
 * is the lane of a thief, from there first. */
void weft_worker_wait_(struct weft_lane *lane, weft_strand s,
                       _Atomic(void *) *word, void *done);

/* --- crowd.c --------------------------------------------------------------- */

/*
 * Between a store and the load of what another stores before it loads: both
 * pass here, and one of the two sees the other's.
 */
static inline void
weft_pool_agree_(weft_pool *p)
{
#ifdef WEFT_TSAN
    /* acq_rel: agree */
    atomic_fetch_add_explicit(&p->crowd, 0, memory_order_acq_rel);
#else
    (void)p;
    atomic_thread_fence(memory_order_seq_cst); /* seq_cst: agree */
#endif
}

/* The calling worker begins to search; false: enough do. */
bool weft_crowd_search_(struct weft_lane *lane);

/* It has done a task but for saying so, to somebody who may have the next. */
void weft_crowd_soon_free_(struct weft_lane *lane);

/* It has something to do, whatever it was at. */
void weft_crowd_busy_(struct weft_lane *lane);

/* It is about to sleep, and to be woken for `kind`: look once more after it. */
void weft_crowd_lie_down_(struct weft_lane *lane, uint32_t kind);

/* Sleep; WEFT_OK: woken, and searching now; WEFT_TIMEOUT: busy. */
WEFT_MUST_USE enum weft_status weft_crowd_sleep_(struct weft_lane *lane,
                                                 weft_deadline deadline);

/* There is something new to do: a fork, or else a task in the queue.  Called
 * after it is there. */
void weft_crowd_tell_(weft_pool *p, bool fork);

/* Wake this one if it sleeps, or all. */
void weft_crowd_wake_(struct weft_lane *lane);
void weft_crowd_wake_all_(weft_pool *p);

#endif /* WEFT_POOL_POOL_IMPL_H */

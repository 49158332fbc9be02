/* SPDX-License-Identifier: MIT */
/*
 * pool.h - worker threads that run what is submitted to them, and tasks that
 * fork and join inside them.
 *
 *   shape      as many threads as CPUs, each with a deque of its own, and three
 *              queues for what comes from outside; idle workers sleep
 *   source     the deque is split in a private and a public part after van Dijk
 *              & van de Pol, Lace: Non-blocking Split Deque for Work-Stealing,
 *              MuCoCoS 2014, and waiting steals back after Wagner & Calder,
 *              Leapfrogging, PPoPP 1993; the rest is original
 *   sibling    thread.h: one thread for one thing
 *
 *       weft_pool *p;
 *       weft_future *f;
 *       if (weft_pool_create(&p, NULL) != WEFT_OK)
 *           return;
 *       if (weft_pool_submit(p, read_all, "notes.txt", &f) == WEFT_OK) {
 *           use(weft_future_result(f, WEFT_FOREVER, &text), text);
 *           weft_future_release(f);
 *       }
 *       weft_pool_destroy(p);
 *
 * Which form.  WEFT_LOCKFREE and WEFT_LOCKLESS are the same; WEFT_MUTEX keeps
 * all there is to do under one lock, a thread stopped inside it stops the pool.
 *
 * A worker that waits runs other work of its pool meanwhile: in a join, for a
 * future, for room in the queue.  So no number of workers is too small.  What
 * runs meanwhile runs on top of what waits: a task must not hold a lock over
 * such a wait that another task needs.
 *
 * The end of the process.  exit() and the return of main let every pool finish
 * what it has, before they wait for threads.  A task may call exit(): its own
 * pool is not waited for then.  Workers are daemons, and so are by default the
 * threads that tasks start.
 *
 * A forked child has no workers: it gets WEFT_CLOSED.  It must not join tasks
 * that were forked before the fork().
 */
#ifndef WEFT_POOL_H
#define WEFT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/fail.h>
#include <weft/future.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_pool weft_pool;

/* Zero bytes mean the defaults. */
typedef struct weft_pool_options {
    unsigned workers; /* 0: weft_cpu_count() */
    enum weft_impl impl;
    const char *name_prefix; /* workers are prefix-0, prefix-1, ...; NULL:
                                "weft-pool"; copied */
    enum weft_status (*initializer)(void *ctx); /* in each worker, first;
                                                   NULL: none */
    void *ctx;          /* for `initializer` and `drop` */
    size_t max_pending; /* 0, or from 2^32-1 on: no bound [tasks] */
    size_t stack_bytes; /* of a worker; 0: the system's default */
    bool pin; /* worker i to the i-th CPU that the caller may use, round and
                 round */
    void (*drop)(void *arg, void *ctx); /* for the argument of a task that
                                           never runs; NULL: none */
} weft_pool_options;

/*
 * Create a pool, start its workers and store it in `*out`.
 *
 *   options    NULL for all defaults
 *   returns    WEFT_OK, also with fewer workers than asked for if at least one
 *              could be started; WEFT_INVALID (`out` is NULL, `impl` is not one
 *              of the enum, a stack too small), WEFT_NO_MEMORY, WEFT_SYSTEM (no
 *              thread is to be had, errno says why): nothing was started
 *   initializer  anything but WEFT_OK, in any worker and also later, breaks the
 *              pool: what has not begun ends with WEFT_BROKEN
 *   ordering   everything before the call happens-before `initializer`
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_pool_create(weft_pool **out, const weft_pool_options *options);

/*
 * Return the pool of the process, made by the first call.
 *
 *   returns    NULL if it cannot be made, now; the next call tries again.
 *              Never destroyed: the end of the process ends it.  A forked child
 *              gets one of its own
 *   caveat     threads that make it at the same time make one each, and all but
 *              one destroy theirs
 */
WEFT_API weft_pool *weft_pool_default(void);

/* What becomes of the tasks that have not begun. */
enum weft_shutdown {
    WEFT_FINISH,        /* they are run */
    WEFT_CANCEL_PENDING /* they are cancelled, their arguments dropped */
};

/*
 * Take no more tasks, and wait until the workers have ended.
 *
 *   deadline   WEFT_NOW: do not wait
 *   returns    WEFT_OK, every task is over and every callback has run;
 *              WEFT_TIMEOUT, it is shut down, and its workers go on;
 *              WEFT_DEADLOCK, a task of the pool that may wait: nothing was
 *              changed; WEFT_INVALID, `how` is not one of the enum;
 *              WEFT_CLOSED, in a forked child
 *   blocking   until the deadline; a cancellation point
 *   ordering   what tasks did happens-before WEFT_OK
 *   threads    any number, and again: WEFT_FINISH can become
 *              WEFT_CANCEL_PENDING.  Calls of weft_future_cancel and such may
 *              run on
 */
WEFT_API enum weft_status weft_pool_shutdown(weft_pool *p,
                                             enum weft_shutdown how,
                                             weft_deadline deadline);

/*
 * Shut down with WEFT_FINISH, wait for the workers, and free the pool; NULL is
 * fine.
 *
 *   requires   no other call on `p` is running; not from a task of its own,
 *              where it is weft_pool_release
 *   caveat     in a forked child the parent's pool is left alone
 */
WEFT_API void weft_pool_destroy(weft_pool *p);

/*
 * Leave the pool: it takes no more tasks, finishes what it has, and its last
 * worker frees it.  NULL is fine.
 *
 *   blocking   never
 *   requires   no other call on `p` is running or follows, but from its tasks
 */
WEFT_API void weft_pool_release(weft_pool *p);

/* Whether an initializer has failed. */
WEFT_API bool weft_pool_is_broken(const weft_pool *p);

/* Return how many workers were started. */
WEFT_API unsigned weft_pool_workers(const weft_pool *p);

/* What runs first of what waits in the queue; the highest first, equals in the
 * order of their coming. */
enum weft_priority {
    WEFT_PRIORITY_NORMAL,
    WEFT_PRIORITY_HIGH,
    WEFT_PRIORITY_LOW /* only while there is nothing else to do */
};

/*
 * Let a worker call `fn(arg)`.
 *
 *   future     NULL: fire and forget, a failure is forgotten too.  Else
 *              `*future` is a handle, for weft_future_release; it is stored
 *              before the task can begin
 *   returns    WEFT_OK; else the task will not run, `arg` is still the caller's
 *              and `*future` is what it was before: WEFT_CLOSED (shut down, or
 *              a forked child), WEFT_BROKEN, WEFT_NO_MEMORY, WEFT_INVALID (`fn`
 *              is NULL)
 *   blocking   with max_pending, until there is room; a cancellation point then
 *   ordering   everything before the call happens-before `fn`
 *   threads    any, tasks too
 *   cost       16 bytes of room in the queue, and 64 for a future; one
 *              compare-and-swap; a system call only to wake a worker when none
 *              is looking for work
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_pool_submit(weft_pool *p, weft_fn *fn, void *arg, weft_future **future);

/*
 * The same with a priority, waiting for room until `deadline`.
 *
 *   returns    as weft_pool_submit; WEFT_TIMEOUT; WEFT_INVALID, `priority` is
 *              not one of the enum
 *   caveat     a cancelled task takes room until a worker has come by
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_pool_submit_until(weft_pool *p, weft_fn *fn, void *arg,
                       enum weft_priority priority, weft_deadline deadline,
                       weft_future **future);

/*
 * Whether somebody asked the running task to stop (weft_future_request_stop).
 *
 *   returns    false outside a task, for one without a future, and in a part of
 *              it that another worker has stolen
 */
WEFT_API bool weft_task_cancelled(void);

/* What a pool did and has to do; each number for itself. */
typedef struct weft_pool_stats {
    uint64_t executed; /* tasks that workers took from a queue or a deque; not
                          those that came back to who had forked them */
    uint64_t stolen;   /* of them, forked by another worker */
    uint64_t parked;   /* how often a worker went to sleep */
    uint64_t injected; /* submitted, or entered by weft_pool_run */
    size_t pending;    /* of them, those that wait in the queue */
} weft_pool_stats;

/*
 * Store in `*out` what `p` did so far.
 *
 *   caveat     exact only while the pool is idle
 */
WEFT_API void weft_pool_get_stats(const weft_pool *p, weft_pool_stats *out);

/* --- fork and join ------------------------------------------------------- */

/*
 * A strand says where a task runs: its worker, and the place in that worker's
 * deque.  It is passed by value, so that both stay in registers; the task lies
 * in the forker's frame.
 *
 *       struct fib_task {
 *           weft_task task;
 *           long n;
 *       };
 *
 *       static void run_fib(weft_strand s, weft_task *t);
 *
 *       static long
 *       fib(weft_strand s, long n)
 *       {
 *           if (n < 2)
 *               return n;
 *           struct fib_task a;
 *           a.n = n - 1;
 *           weft_fork(&s, &a.task, run_fib);
 *           long y = fib(s, n - 2);
 *           return y + (weft_reclaim(&s, &a.task) ? fib(s, n - 1) : a.n);
 *       }
 *
 *       static void
 *       run_fib(weft_strand s, weft_task *t)
 *       {
 *           struct fib_task *a = (struct fib_task *)t;
 *           a->n = fib(s, a->n);
 *       }
 *
 *       struct fib_task root = {.n = 35};
 *       if (weft_pool_run(p, &root.task, run_fib) == WEFT_OK)
 *           printf("%ld\n", root.n);
 */
typedef struct weft_worker weft_worker;
typedef struct weft_task weft_task;

typedef struct weft_strand {
    weft_worker *worker;
    weft_task **top;
} weft_strand;

/* What a task runs; `s` is to be passed on, and used in this thread only. */
typedef void weft_task_fn(weft_strand s, weft_task *t);

/* Private, and nothing in it needs to be set. */
struct weft_task {
    weft_task_fn *fn;
    WEFT_ATOMIC(void *) word;
};

/*
 * Run `fn(strand, t)` in the pool.
 *
 *   returns    WEFT_OK, it is done; else it has not begun: WEFT_CLOSED,
 *              WEFT_CANCELLED (shut down meanwhile), WEFT_BROKEN,
 *              WEFT_NO_MEMORY, WEFT_INVALID (`t` or `fn` is NULL)
 *   blocking   sleeps until it is done; in a task of `p` it is a plain call.
 *              No cancellation point
 *   ordering   everything before it happens-before `fn`, which happens-before
 *              WEFT_OK
 *   caveat     where a strand is running already, what `fn` forks is run at
 *              once, in this thread: pass the strand on instead
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_pool_run(weft_pool *p, weft_task *t, weft_task_fn *fn);

/*
 * Let `fn(strand, t)` run here or in another worker, until it is joined.
 *
 *   t          alive until weft_reclaim or weft_join
 *   requires   it is joined before `*s` is given up, the youngest first
 *   blocking   never; where 2^20 forks of a worker are open, runs `fn` at once
 *   progress   wait-free but for a steal that a worker asked for
 *   ordering   everything before it happens-before `fn`
 *   cost       two plain stores and a plain load; inlined
 *   caveat     other workers see it only when they have asked for work, and at
 *              the next fork or join of this one
 */
WEFT_API void weft_fork(weft_strand *s, weft_task *t, weft_task_fn *fn);

/*
 * Take the youngest task that `*s` has forked back.
 *
 *   t          that task
 *   returns    true, it has not begun and will not: call its function, or do
 *              otherwise what it would have done; false, it is done
 *   blocking   while another worker runs it: runs other forked tasks meanwhile,
 *              or sleeps
 *   ordering   everything in its function happens-before false
 *   cost       a plain load; inlined
 */
WEFT_API WEFT_MUST_USE bool weft_reclaim(weft_strand *s, weft_task *t);

/* The same, and run it here where weft_reclaim says true. */
WEFT_API void weft_join(weft_strand *s, weft_task *t);

/* --- inlined -------------------------------------------------------------- */

/* What a worker begins with; src/pool/strand.c says what the two mean. */
struct weft_worker {
    WEFT_ATOMIC(uintptr_t) limit; /* forks from here on take the slow way */
    WEFT_ATOMIC(uintptr_t) floor; /* below it, reclaims do */
};

WEFT_API __attribute__((cold)) void
weft_fork_slow_(weft_worker *w, weft_task **top, weft_task *t);
WEFT_API WEFT_MUST_USE __attribute__((cold)) bool
weft_reclaim_slow_(weft_worker *w, weft_task **top, weft_task *t);

#if !defined(WEFT_NO_INLINE)
WEFT_INLINE void
weft_fork(weft_strand *s, weft_task *t, weft_task_fn *fn)
{
    weft_task **top = s->top;

    t->fn = fn;
    if (__builtin_expect(
            (uintptr_t)top < WEFT_LOAD_(&s->worker->limit, relaxed), 1))
        *top = t;
    else
        weft_fork_slow_(s->worker, top, t);
    s->top = top + 1;
}

WEFT_INLINE bool
weft_reclaim(weft_strand *s, weft_task *t)
{
    weft_task **top = s->top - 1;

    s->top = top;
    return __builtin_expect(
               (uintptr_t)top >= WEFT_LOAD_(&s->worker->floor, relaxed), 1) ||
           weft_reclaim_slow_(s->worker, top, t);
}

WEFT_INLINE void
weft_join(weft_strand *s, weft_task *t)
{
    if (weft_reclaim(s, t))
        t->fn(*s, t);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_POOL_H */

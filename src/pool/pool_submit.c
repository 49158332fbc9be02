/* SPDX-License-Identifier: MIT */
/*
 * pool_submit.c - how a task comes into the queue, and how it leaves it without
 * having run.
 *
 * A job without a future lies in the queue as it is, {fn, arg}.  Of one with a
 * future the queue holds {with_future, future}, and the future what is to be
 * called; of the root of a run, which lies in the frame of who waits for it,
 * {root, root}.
 *
 * Room.  With max_pending a submit takes a unit of `room`, and whoever takes the
 * task out of the queue gives it back.  After the close a unit is passed from
 * one submitter that waits to the next, so that all of them leave.  A worker
 * that finds no room runs what is in the queue: it might be the only one.
 *
 * Ordering.  The queue carries what a task needs.  The rest:
 *
 *     over     the root of a run is done or dropped  ->  who waits goes on
 */
#include "pool/pool_impl.h"

#include "base/deadline.h"
#include "base/fail.h"
#include "base/park.h"
#include "deadlock/watch.h"
#include "pool/future_impl.h"
#include "pool/worker.h"

/* How long a worker that waits for room looks away from what there is to run. */
#define ROOM_LOOK_US 50

/* The root of a run. */
struct root {
    weft_task *task;
    enum weft_status status; /* before it is over */
    _Atomic uint32_t over;   /* RUNNING, AWAITED or OVER */
};

enum { RUNNING, AWAITED, OVER };

static void
give_room(weft_pool *p)
{
    if (p->bounded)
        (void)weft_semaphore_release(&p->room, 1);
}

/* What a job's function is where it is none of the user's; never called. */
static void *
with_future(void *future)
{
    return future;
}

static void *
root(void *unused)
{
    (void)unused;
    return NULL;
}

/* One that has not begun. */
static void
end_future(weft_future *f, enum weft_status why)
{
    if (why == WEFT_CANCELLED)
        (void)weft_future_cancel(f);
    else if (weft_future_start_(f) == WEFT_OK)
        weft_future_finish_(f, why, NULL, NULL);
}

static void
drop_arg(weft_pool *p, void *arg)
{
    if (p->drop != NULL)
        p->drop(arg, p->ctx);
}

static void
drop_future(weft_pool *p, weft_future *f, enum weft_status why)
{
    void *const arg = f->job.arg;
    const bool keeps_arg = f->keeps_arg;

    end_future(f, why);
    if (!keeps_arg)
        drop_arg(p, arg);
    weft_future_release(f);
}

/* Its frame may be gone as soon as it is over. */
static void
end_root(struct root *r, enum weft_status status)
{
    r->status = status;
    if (weft_watching_())
        weft_watch_tells_(r->task, WEFT_KIND_TASK, NULL, 1);
    /* release: over */
    if (atomic_exchange_explicit(&r->over, OVER, memory_order_release) ==
        AWAITED)
        weft_park_wake_(&r->over, 1);
}

static void
run_plain(struct weft_job_ job)
{
    weft_error error;

    if (weft_fail_take_(job.fn(job.arg), &error))
        weft_fail_free_(&error);
}

static void
run_future(weft_pool *p, weft_future *f)
{
    if (weft_future_start_(f) != WEFT_OK) {
        drop_future(p, f, WEFT_CANCELLED);
        return;
    }
    const struct weft_job_ job = f->job;
    void *const value = job.fn(job.arg);
    weft_crowd_soon_free_(weft_here_.lane);
    weft_future_finish_value_(f, value);
    weft_future_release(f);
}

void
weft_pool_run_job_(weft_pool *p, weft_strand s, struct weft_job_ job)
{
    if (weft_watching_()) /* behind all who have submitted something by now */
        weft_watch_hears_(p, WEFT_KIND_TASK);
    if (job.fn == root) {
        struct root *r = job.arg;
        weft_worker_run_strand_(s, r->task, NULL);
        weft_crowd_soon_free_(weft_here_.lane);
        end_root(r, WEFT_OK);
        return;
    }
    weft_future *f = job.fn == with_future ? job.arg : NULL;
    struct weft_frame frame = {weft_here_.frame, f, s};

    give_room(p);
    weft_here_.frame = &frame;
    if (f != NULL)
        run_future(p, f);
    else
        run_plain(job);
    weft_here_.frame = frame.below;
}

/* It will never run. */
static void
drop(weft_pool *p, struct weft_job_ job, enum weft_status why)
{
    atomic_fetch_add_explicit(&p->dropped, 1, memory_order_relaxed);
    if (job.fn == root) {
        end_root(job.arg, why);
        return;
    }
    give_room(p);
    if (job.fn == with_future)
        drop_future(p, job.arg, why);
    else
        drop_arg(p, job.arg);
}

void
weft_pool_drop_all_(weft_pool *p, enum weft_status why)
{
    struct weft_job_ job;

    for (int i = 0; i < WEFT_PRIORITIES; i++)
        while (weft_pool_queue_take_(p, (enum weft_priority)i, &job))
            drop(p, job, why);
}

/* Whether a task of this pool runs in the calling thread. */
static bool
is_inside(const weft_pool *p)
{
    return weft_here_.lane != NULL && weft_here_.lane->pool == p;
}

/* A worker takes room; it runs what is pending until there is some.  Without
 * either, who has the room is about to put a task, which may have nobody but
 * this worker to run it: so it looks again. */
static enum weft_status
take_room_inside(weft_pool *p, weft_deadline deadline)
{
    const weft_error saved = weft_fail_save_();
    enum weft_status s = weft_semaphore_acquire(&p->room, WEFT_NOW);

    while (s != WEFT_OK &&
           (deadline == WEFT_FOREVER || weft_clock_ns_() < deadline)) {
        weft_deadline until = WEFT_NOW;
        if (!weft_worker_run_one_(weft_here_.lane)) {
            until = weft_in_us(ROOM_LOOK_US);
            until = until < deadline ? until : deadline;
        }
        s = weft_semaphore_acquire(&p->room, until);
    }
    weft_fail_restore_(saved);
    return s;
}

static enum weft_status
take_room(weft_pool *p, weft_deadline deadline)
{
    const enum weft_status s = is_inside(p)
                                   ? take_room_inside(p, deadline)
                                   : weft_semaphore_acquire(&p->room, deadline);

    if (s != WEFT_OK)
        return s;
    const enum weft_status refusal = weft_pool_refusal_(p);
    if (refusal != WEFT_OK)
        give_room(p);
    return refusal;
}

static enum weft_status
put(weft_pool *p, struct weft_job_ job, enum weft_priority priority)
{
    const enum weft_status s = weft_pool_queue_put_(p, job, priority);

    if (s == WEFT_OK)
        weft_crowd_tell_(p, false);
    return s;
}

/* The handle is there before the job can begin. */
static enum weft_status
put_with_future(weft_pool *p, struct weft_job_ job, bool keeps_arg,
                enum weft_priority priority, weft_future **future)
{
    weft_future *const before = *future;
    weft_future *f = weft_future_new_(2);

    if (f == NULL)
        return WEFT_NO_MEMORY;
    f->job = job;
    f->of_pool = true;
    f->keeps_arg = keeps_arg;
    *future = f;
    const enum weft_status s =
        put(p, (struct weft_job_){with_future, f}, priority);
    if (s == WEFT_OK)
        return WEFT_OK;
    *future = before;
    weft_future_release(f);
    weft_future_release(f);
    return s;
}

/* Whether a task may come, with room for it. */
static enum weft_status
enter(weft_pool *p, weft_fn *fn, enum weft_priority priority,
      weft_deadline deadline)
{
    if (fn == NULL || (unsigned)priority >= WEFT_PRIORITIES)
        return WEFT_INVALID;
    const enum weft_status s = weft_pool_refusal_(p);
    if (weft_watching_())
        weft_watch_tells_(p, WEFT_KIND_TASK, NULL, 1);
    return s == WEFT_OK && p->bounded ? take_room(p, deadline) : s;
}

enum weft_status
weft_pool_submit_until(weft_pool *p, weft_fn *fn, void *arg,
                       enum weft_priority priority, weft_deadline deadline,
                       weft_future **future)
{
    const struct weft_job_ job = {fn, arg};
    enum weft_status s = enter(p, fn, priority, deadline);

    if (s != WEFT_OK)
        return s;
    s = future == NULL ? put(p, job, priority)
                       : put_with_future(p, job, false, priority, future);
    if (s != WEFT_OK)
        give_room(p);
    return s;
}

enum weft_status
weft_pool_submit_kept_(weft_pool *p, weft_fn *fn, void *arg,
                       weft_deadline deadline, weft_future **future)
{
    const struct weft_job_ job = {fn, arg};
    enum weft_status s = enter(p, fn, WEFT_PRIORITY_NORMAL, deadline);

    if (s != WEFT_OK)
        return s;
    s = put_with_future(p, job, true, WEFT_PRIORITY_NORMAL, future);
    if (s != WEFT_OK)
        give_room(p);
    return s;
}

enum weft_status
weft_pool_submit(weft_pool *p, weft_fn *fn, void *arg, weft_future **future)
{
    return weft_pool_submit_until(p, fn, arg, WEFT_PRIORITY_NORMAL,
                                  WEFT_FOREVER, future);
}

static bool
is_over(struct root *r)
{
    /* acquire: over */
    return atomic_load_explicit(&r->over, memory_order_acquire) == OVER;
}

/* Wait until it is over; the user's call is at `place`. */
static void
await_root(struct root *r, uintptr_t place)
{
    struct weft_patience_ *patience = &weft_patience_;
    uint32_t seen = RUNNING;

    weft_patience_begin_(patience, 1);
    do
        if (is_over(r))
            return;
    while (weft_patience_pause_(patience));
    weft_watch_called_from_(place);
    (void)!weft_watch_block_(r->task, WEFT_KIND_TASK, WEFT_FOREVER);
    (void)atomic_compare_exchange_strong_explicit(
        &r->over, &seen, AWAITED, memory_order_relaxed, memory_order_relaxed);
    while (!is_over(r))
        (void)!weft_park_wait_(&r->over, AWAITED, WEFT_FOREVER);
    weft_watch_unblock_();
    weft_patience_woken_(patience);
}

static enum weft_status
run_outside(weft_pool *p, weft_task *t)
{
    struct root r = {.task = t};
    const uintptr_t place = weft_watch_caller_; /* put makes calls of its own */
    if (weft_watching_())
        weft_watch_tells_(p, WEFT_KIND_TASK, NULL, 1);
    const enum weft_status s =
        put(p, (struct weft_job_){root, &r}, WEFT_PRIORITY_NORMAL);

    if (s != WEFT_OK)
        return s;
    await_root(&r, place);
    if (weft_watching_())
        weft_watch_hears_(t, WEFT_KIND_TASK);
    return r.status;
}

enum weft_status
weft_pool_run(weft_pool *p, weft_task *t, weft_task_fn *fn)
{
    if (t == NULL || fn == NULL)
        return WEFT_INVALID;
    t->fn = fn;
    if (is_inside(p)) {
        weft_worker_run_strand_(
            weft_worker_strand_(), t,
            weft_here_.frame != NULL ? weft_here_.frame->future : NULL);
        return WEFT_OK;
    }
    WEFT_WATCH_CALL_();
    const enum weft_status s = weft_pool_refusal_(p);
    return s == WEFT_OK ? run_outside(p, t) : s;
}

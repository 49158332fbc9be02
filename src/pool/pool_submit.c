/* SPDX-License-Identifier: MIT */
/*
 * pool_submit.c - how a task comes into the queue, and how it leaves it without
 * having run.
 *
 * A task with a future is a part of it, one allocation; a task without is one
 * of its own; the root of a run lies in the frame of who waits for it.
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

#include <stdlib.h>

#include "base/fail.h"
#include "base/park.h"
#include "pool/future_impl.h"
#include "pool/worker.h"

/* How long a worker that waits for room looks away from what there is to run. */
#define ROOM_LOOK_US 50

/* The root of a run. */
struct root {
    weft_task task;
    weft_task *user;
    enum weft_status status; /* before it is over */
    _Atomic uint32_t over;
};

static void
give_room(weft_pool *p)
{
    if (p->bounded)
        (void)weft_semaphore_release(&p->room, 1);
}

/* Give back what the library holds of it. */
static void
free_job(struct weft_job_ *job)
{
    if (job->future != NULL)
        weft_future_release(job->future);
    else
        free(job);
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
drop_job(weft_pool *p, struct weft_job_ *job, enum weft_status why)
{
    void *arg = job->arg;

    if (job->future != NULL)
        end_future(job->future, why);
    if (p->drop != NULL && !job->keeps_arg)
        p->drop(arg, p->ctx);
    free_job(job);
}

/* Call the function of a job; its future, if there is one, is running. */
static void
call(struct weft_job_ *job)
{
    weft_error error;

    void *value = job->fn(job->arg);
    if (job->future != NULL)
        weft_future_finish_value_(job->future, value);
    else if (weft_fail_take_(value, &error))
        weft_fail_free_(&error);
}

static void
run_job(weft_strand s, weft_task *t)
{
    struct weft_job_ *job = (struct weft_job_ *)t;
    weft_pool *p = job->pool;
    struct weft_frame frame = {weft_here_.frame, job->future, s};

    give_room(p);
    if (job->future != NULL && weft_future_start_(job->future) != WEFT_OK) {
        drop_job(p, job, WEFT_CANCELLED);
        return;
    }
    weft_here_.frame = &frame;
    call(job);
    weft_here_.frame = frame.below;
    free_job(job);
}

/* Its frame may be gone as soon as it is over. */
static void
end_root(struct root *r, enum weft_status status)
{
    r->status = status;
    /* release: over */
    atomic_store_explicit(&r->over, 1, memory_order_release);
    weft_park_wake_(&r->over, 1);
}

static void
run_root(weft_strand s, weft_task *t)
{
    struct root *r = (struct root *)t;

    weft_worker_run_strand_(s, r->user, NULL);
    end_root(r, WEFT_OK);
}

void
weft_pool_drop_(weft_pool *p, weft_task *t, enum weft_status why)
{
    atomic_fetch_add_explicit(&p->dropped, 1, memory_order_relaxed);
    if (t->fn == run_root) {
        end_root((struct root *)t, why);
        return;
    }
    give_room(p);
    drop_job(p, (struct weft_job_ *)t, why);
}

void
weft_pool_drop_all_(weft_pool *p, enum weft_status why)
{
    for (int i = 0; i < WEFT_PRIORITIES; i++) {
        weft_task *t;
        while ((t = weft_pool_queue_take_(p, (enum weft_priority)i)) != NULL)
            weft_pool_drop_(p, t, why);
    }
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
           (deadline == WEFT_FOREVER || weft_in_ns(0) < deadline)) {
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

/* A job as `model`, with a future or without; NULL: no memory. */
static struct weft_job_ *
new_job(weft_pool *p, const struct weft_job_ *model, bool with_future)
{
    weft_future *f = with_future ? weft_future_new_(2) : NULL;
    struct weft_job_ *job =
        with_future ? (struct weft_job_ *)f : malloc(sizeof(*job));

    if (job == NULL)
        return NULL;
    job->task.fn = run_job;
    job->pool = p;
    job->fn = model->fn;
    job->arg = model->arg;
    job->keeps_arg = model->keeps_arg;
    job->future = f;
    return job;
}

/* Undo new_job. */
static void
forget_job(struct weft_job_ *job)
{
    if (job->future != NULL) {
        (void)weft_future_cancel(job->future);
        weft_future_release(job->future);
    }
    free_job(job);
}

static enum weft_status
put_job(weft_pool *p, struct weft_job_ *job, enum weft_priority priority,
        weft_future **future)
{
    weft_future *before = NULL;

    if (future != NULL) {
        before = *future;
        *future = job->future;
    }
    const enum weft_status s = weft_pool_queue_put_(p, &job->task, priority);
    if (s == WEFT_OK) {
        weft_crowd_tell_(p, false);
        return WEFT_OK;
    }
    if (future != NULL)
        *future = before;
    forget_job(job);
    return s;
}

static enum weft_status
submit(weft_pool *p, const struct weft_job_ *model, enum weft_priority priority,
       weft_deadline deadline, weft_future **future)
{
    if (model->fn == NULL || (unsigned)priority >= WEFT_PRIORITIES)
        return WEFT_INVALID;
    enum weft_status s = weft_pool_refusal_(p);
    if (s == WEFT_OK && p->bounded)
        s = take_room(p, deadline);
    if (s != WEFT_OK)
        return s;
    struct weft_job_ *job = new_job(p, model, future != NULL);
    s = job != NULL ? put_job(p, job, priority, future) : WEFT_NO_MEMORY;
    if (s != WEFT_OK)
        give_room(p);
    return s;
}

enum weft_status
weft_pool_submit_until(weft_pool *p, weft_fn *fn, void *arg,
                       enum weft_priority priority, weft_deadline deadline,
                       weft_future **future)
{
    const struct weft_job_ model = {.fn = fn, .arg = arg};

    return submit(p, &model, priority, deadline, future);
}

enum weft_status
weft_pool_submit_kept_(weft_pool *p, weft_fn *fn, void *arg,
                       weft_deadline deadline, weft_future **future)
{
    const struct weft_job_ model = {.fn = fn, .arg = arg, .keeps_arg = true};

    return submit(p, &model, WEFT_PRIORITY_NORMAL, deadline, future);
}

enum weft_status
weft_pool_submit(weft_pool *p, weft_fn *fn, void *arg, weft_future **future)
{
    return weft_pool_submit_until(p, fn, arg, WEFT_PRIORITY_NORMAL,
                                  WEFT_FOREVER, future);
}

static enum weft_status
run_outside(weft_pool *p, weft_task *t)
{
    struct root r = {.task.fn = run_root, .user = t};
    const enum weft_status s =
        weft_pool_queue_put_(p, &r.task, WEFT_PRIORITY_NORMAL);

    if (s != WEFT_OK)
        return s;
    weft_crowd_tell_(p, false);
    (void)weft_park_spin_(&r.over, 0);
    /* acquire: over */
    while (atomic_load_explicit(&r.over, memory_order_acquire) == 0)
        (void)!weft_park_wait_(&r.over, 0, WEFT_FOREVER);
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
    const enum weft_status s = weft_pool_refusal_(p);
    return s == WEFT_OK ? run_outside(p, t) : s;
}

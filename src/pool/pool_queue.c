/* SPDX-License-Identifier: MIT */
/*
 * pool_queue.c - what came from outside and has not begun: three queues, one
 * for each priority.
 *
 * WEFT_MUTEX: arrays under the pool's lock, each a circle that doubles when it
 * is full.  Else an intake for each (intake.h), which says by itself that it
 * takes no more.
 *
 * The close.  Who puts something in after it is refused, and who overlaps with
 * it succeeds or is refused: so once a worker has seen that it is drained, it
 * stays so.
 */
#include <stdlib.h>

#include "pool/pool_impl.h"

#define FIRST_JOBS 64 /* a power of two, as is every length [jobs] */

/* --- WEFT_MUTEX, under the lock ---------------------------------------------- */

static bool
grow(struct weft_jobs *jobs)
{
    const size_t length = jobs->length > 0 ? 2 * jobs->length : FIRST_JOBS;
    struct weft_job_ *more = malloc(length * sizeof(*more));

    if (more == NULL)
        return false;
    for (size_t i = 0; i < jobs->count; i++)
        more[i] = jobs->at[(jobs->first + i) & (jobs->length - 1)];
    free(jobs->at);
    *jobs = (struct weft_jobs){more, length, 0, jobs->count};
    return true;
}

static enum weft_status
append(weft_pool *p, struct weft_job_ job, enum weft_priority priority)
{
    struct weft_jobs *jobs = &p->jobs[priority];

    if (p->closed)
        return weft_pool_refusal_(p);
    if (jobs->count == jobs->length && !grow(jobs))
        return WEFT_NO_MEMORY;
    jobs->at[(jobs->first + jobs->count++) & (jobs->length - 1)] = job;
    return WEFT_OK;
}

static size_t
count(const weft_pool *p)
{
    size_t n = 0;

    for (int i = 0; i < WEFT_PRIORITIES; i++)
        n += p->jobs[i].count;
    return n;
}

static enum weft_status
init_mutex(weft_pool *p)
{
    weft_mutex_init(&p->lock);
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        if (!grow(&p->jobs[i]))
            return WEFT_NO_MEMORY;
    return WEFT_OK;
}

static enum weft_status
put_mutex(weft_pool *p, struct weft_job_ job, enum weft_priority priority)
{
    weft_mutex_lock(&p->lock);
    const enum weft_status s = append(p, job, priority);
    weft_mutex_unlock(&p->lock);
    return s;
}

static bool
take_mutex(weft_pool *p, enum weft_priority priority, struct weft_job_ *job)
{
    struct weft_jobs *jobs = &p->jobs[priority];

    weft_mutex_lock(&p->lock);
    const bool done = jobs->count > 0;
    if (done) {
        *job = jobs->at[jobs->first];
        jobs->first = (jobs->first + 1) & (jobs->length - 1);
        jobs->count--;
    }
    weft_mutex_unlock(&p->lock);
    return done;
}

static void
close_mutex(weft_pool *p)
{
    weft_mutex_lock(&p->lock);
    p->closed = true;
    weft_mutex_unlock(&p->lock);
}

static size_t
size_mutex(weft_pool *p, bool *closed)
{
    weft_mutex_lock(&p->lock);
    const size_t n = count(p);
    *closed = p->closed;
    weft_mutex_unlock(&p->lock);
    return n;
}

/* --- both -------------------------------------------------------------------- */

enum weft_status
weft_pool_queue_init_(weft_pool *p)
{
    enum weft_status s = WEFT_OK;

    if (p->locked)
        return init_mutex(p);
    for (int i = 0; i < WEFT_PRIORITIES && s == WEFT_OK; i++)
        s = weft_intake_init_(&p->intakes[i]);
    return s;
}

void
weft_pool_queue_fini_(weft_pool *p)
{
    for (int i = 0; i < WEFT_PRIORITIES; i++) {
        weft_intake_fini_(&p->intakes[i]);
        free(p->jobs[i].at);
    }
}

enum weft_status
weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                     enum weft_priority priority)
{
    if (!atomic_load_explicit(&p->is_used[priority], memory_order_relaxed))
        atomic_store_explicit(&p->is_used[priority], true,
                              memory_order_relaxed);
    if (p->locked)
        return put_mutex(p, job, priority);
    const enum weft_status s = weft_intake_put_(&p->intakes[priority], job);
    return s == WEFT_CLOSED ? weft_pool_refusal_(p) : s;
}

void
weft_pool_queue_close_(weft_pool *p)
{
    if (p->locked) {
        close_mutex(p);
        return;
    }
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        weft_intake_close_(&p->intakes[i]);
}

bool
weft_pool_queue_take_(weft_pool *p, enum weft_priority priority,
                      struct weft_job_ *job)
{
    if (!atomic_load_explicit(&p->is_used[priority], memory_order_relaxed))
        return false;
    return p->locked ? take_mutex(p, priority, job)
                     : weft_intake_take_(&p->intakes[priority], job);
}

bool
weft_pool_queue_is_drained_(weft_pool *p)
{
    bool closed;

    if (p->locked)
        return size_mutex(p, &closed) == 0 && closed;
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        if (!weft_intake_is_drained_(&p->intakes[i]))
            return false;
    return true;
}

bool
weft_pool_queue_is_ready_(weft_pool *p)
{
    bool closed;

    if (p->locked)
        return size_mutex(p, &closed) > 0;
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        if (weft_intake_is_ready_(&p->intakes[i]))
            return true;
    return false;
}

size_t
weft_pool_queue_size_(weft_pool *p)
{
    bool closed;
    size_t n = 0;

    if (p->locked)
        return size_mutex(p, &closed);
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        n += weft_intake_size_(&p->intakes[i]);
    return n;
}

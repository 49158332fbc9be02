/* SPDX-License-Identifier: MIT */
/*
 * contention.c - measures one object under threads that do nothing else.
 *
 * What was measured is also checked: the counter's sum against the additions,
 * and of the ring the number and the sum of the items that went in against
 * those that came out, what is left in it included.
 */
#include "contention.h"

#include <sched.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "memory.h"
#include "workers.h"

#define BATCH    64   /* operations between two looks at the clock */
#define CAPACITY 1024 /* of the ring: more than threads, so it is never full */

struct share {
    alignas(64) int64_t done;
    uint64_t balance; /* sum of the items put, less those taken */
};

struct job {
    weft_counter *counter; /* one of the two is NULL */
    weft_ring *ring;
    struct share *shares;
};

static void
add(struct worker *w)
{
    struct job *job = w->shared;
    int64_t done = 0;

    do {
        for (int i = 0; i < BATCH; i++)
            weft_counter_add(job->counter, 1);
        done += BATCH;
    } while (!worker_is_stopped(w));
    job->shares[w->index].done = done;
}

/* Each thread puts before it takes, so there is one for everybody; an item may
 * be on its way still, and then its thread gets the CPU. */
static void
put_and_take(struct worker *w)
{
    struct job *job = w->shared;
    uint64_t balance = 0;
    uintptr_t next = ((uintptr_t)w->index << 40) + 1;
    int64_t done = 0;

    do {
        for (int i = 0; i < BATCH; i++) {
            void *taken;
            while (weft_ring_push(job->ring, (void *)next) != WEFT_OK)
                sched_yield();
            while (weft_ring_pop(job->ring, &taken) != WEFT_OK)
                sched_yield();
            balance += next++ - (uintptr_t)taken;
        }
        done += BATCH;
    } while (!worker_is_stopped(w));
    job->shares[w->index].done = done;
    job->shares[w->index].balance = balance;
}

static bool
is_right(const struct job *job, unsigned threads, int64_t done)
{
    uint64_t balance = 0;
    void *left;

    if (job->counter != NULL)
        return weft_counter_sum(job->counter) == done;
    for (unsigned i = 0; i < threads; i++)
        balance += job->shares[i].balance;
    /* As many were put as taken, so nothing may be left. */
    return balance == 0 && weft_ring_pop(job->ring, &left) == WEFT_EMPTY;
}

bool
contention_measure(const struct contender *c, unsigned threads, double seconds,
                   const struct options *o, struct report *r,
                   struct contention *result)
{
    struct job job = {.counter = NULL, .ring = NULL};
    const enum weft_status s =
        c->is_ring ? weft_ring_create(&job.ring, CAPACITY, c->impl)
                   : weft_counter_create(&job.counter, c->kind);
    int64_t done = 0;

    if (s != WEFT_OK) {
        report_abandon(r, "%s: cannot create it: %s", c->name,
                       weft_status_text(s));
        return false;
    }
    job.shares = must_have(threads, sizeof(struct share));
    struct crew crew = {.threads = threads,
                        .seconds = seconds,
                        .pin = o->pin,
                        .seed = o->seed,
                        .body = c->is_ring ? put_and_take : add,
                        .shared = &job,
                        .what = c->name};
    const bool ran = crew_run(&crew, r);
    for (unsigned i = 0; i < threads; i++)
        done += job.shares[i].done;
    result->rate = (double)done / crew.elapsed_s;
    result->right = ran && is_right(&job, threads, done);
    weft_ring_destroy(job.ring);
    weft_counter_destroy(job.counter);
    free(job.shares);
    return ran;
}

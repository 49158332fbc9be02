/* SPDX-License-Identifier: MIT */
/*
 * pools_glib.c - GLib's GThreadPool: a queue under a mutex, no futures, no
 * forks.
 */
#include <glib.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "bench/pools.h"
#include "bench/sanitized.h"

struct count {
    _Atomic uint64_t done;
};

static void
count_one(gpointer arg, gpointer ctx)
{
    struct count *c = arg;

    (void)ctx;
    atomic_fetch_add_explicit(&c->done, 1, memory_order_relaxed);
}

static bool
open_pool(struct pool_place *at, int kind)
{
    (void)kind;
    at->pool =
        g_thread_pool_new(count_one, NULL, (gint)at->workers, TRUE, NULL);
    return at->pool != NULL;
}

static void
close_pool(struct pool_place *at)
{
    g_thread_pool_free(at->pool, FALSE, TRUE);
}

struct submitter {
    GThreadPool *pool;
    struct count *count;
    bool failed;
};

static void *
submit_all(void *arg)
{
    struct submitter *s = arg;

    for (unsigned i = 0; i < POOL_SUBMITS; i++)
        s->failed |= !g_thread_pool_push(s->pool, s->count, NULL);
    return NULL;
}

static uint64_t
await(const struct count *c, uint64_t n)
{
    while (atomic_load_explicit(&c->done, memory_order_relaxed) != n)
        sched_yield();
    return n;
}

static uint64_t
submit(struct pool_place *at)
{
    struct count c = {.done = 0};
    struct submitter s = {.pool = at->pool, .count = &c};

    submit_all(&s);
    return s.failed ? 0 : await(&c, POOL_SUBMITS);
}

static uint64_t
submit_by_two(struct pool_place *at)
{
    struct count c = {.done = 0};
    struct submitter one = {.pool = at->pool, .count = &c};
    struct submitter two = one;
    pthread_t other;

    if (pthread_create(&other, NULL, submit_all, &two) != 0)
        return 0;
    submit_all(&one);
    pthread_join(other, NULL);
    return one.failed || two.failed ? 0 : await(&c, 2 * POOL_SUBMITS);
}

static void
rest(struct pool_place *at)
{
    (void)submit(at);
}

#define GLIB                                                         \
    .name = SANITIZED_THREADS ? NULL : "GThreadPool", .rival = true, \
    .open = open_pool, .close = close_pool

/* ThreadSanitizer does not see GLib's locks. */
const struct pool_job pool_glib_submits[] = {{GLIB, .run = submit},
                                             {.name = NULL}};
const struct pool_job pool_glib_twos[] = {{GLIB, .run = submit_by_two},
                                          {.name = NULL}};
const struct pool_job pool_glib_idle[] = {{GLIB, .before = rest},
                                          {.name = NULL}};

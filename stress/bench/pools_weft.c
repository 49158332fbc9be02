/* SPDX-License-Identifier: MIT */
/*
 * pools_weft.c - the jobs of `bench pool`, in a pool of Weft.
 */
#include <weft/pool.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "bench/pools.h"
#include "memory.h"

bool
pool_weft_open(struct pool_place *at, int kind)
{
    const weft_pool_options o = {.workers = at->workers,
                                 .impl = (enum weft_impl)kind};

    return weft_pool_create((weft_pool **)&at->pool, &o) == WEFT_OK;
}

void
pool_weft_close(struct pool_place *at)
{
    weft_pool_destroy(at->pool);
}

static bool
run(struct pool_place *at, weft_task *t, weft_task_fn *fn)
{
    return weft_pool_run(at->pool, t, fn) == WEFT_OK;
}

/* --- fib ---------------------------------------------------------------------- */

struct fib {
    weft_task task;
    uint64_t n;
};

static void run_fib(weft_strand s, weft_task *t);

static uint64_t
fib(weft_strand s, uint64_t n)
{
    struct fib a;

    if (n < 2)
        return n;
    a.n = n - 1;
    weft_fork(&s, &a.task, run_fib);
    const uint64_t y = fib(s, n - 2);
    return y + (weft_reclaim(&s, &a.task) ? fib(s, n - 1) : a.n);
}

static void
run_fib(weft_strand s, weft_task *t)
{
    struct fib *a = (struct fib *)t;

    a->n = fib(s, a->n);
}

uint64_t
pool_weft_fib(struct pool_place *at)
{
    struct fib root = {.n = POOL_FIB};

    return run(at, &root.task, run_fib) && root.n == pool_fib(POOL_FIB)
               ? pool_fib(POOL_FIB + 1)
               : 0;
}

/* --- n queens ------------------------------------------------------------------- */

struct queens {
    weft_task task;
    unsigned n;
    char rows[POOL_QUEENS];
    uint64_t found;
    uint64_t tasks;
};

static void
run_queens(weft_strand s, weft_task *t)
{
    struct queens *q = (struct queens *)t;
    struct queens next[POOL_QUEENS];
    unsigned forked = 0;

    q->found = q->n == POOL_QUEENS;
    q->tasks = 1;
    for (char row = 0; row < POOL_QUEENS && q->n < POOL_QUEENS; row++) {
        if (!pool_queens_fit(q->rows, q->n, row))
            continue;
        struct queens *p = &next[forked++];
        memcpy(p->rows, q->rows, q->n);
        p->rows[q->n] = row;
        p->n = q->n + 1;
        weft_fork(&s, &p->task, run_queens);
    }
    while (forked-- > 0) {
        weft_join(&s, &next[forked].task);
        q->found += next[forked].found;
        q->tasks += next[forked].tasks;
    }
}

uint64_t
pool_weft_queens(struct pool_place *at)
{
    struct queens root = {.n = 0};

    return run(at, &root.task, run_queens) && root.found == 352 ? root.tasks - 1
                                                                : 0;
}

/* --- a tree whose halves differ ------------------------------------------------- */

struct tree {
    weft_task task;
    uint64_t leaves;
    uint64_t seed;
};

static void run_tree(weft_strand s, weft_task *t);

static uint64_t
tree(weft_strand s, uint64_t leaves, uint64_t seed)
{
    struct tree a;

    if (leaves == 1)
        return seed != 0;
    const uint64_t h = pool_hash(seed + leaves);
    a.leaves = 1 + h % (leaves - 1);
    a.seed = h;
    const uint64_t left = a.leaves;
    weft_fork(&s, &a.task, run_tree);
    const uint64_t right = tree(s, leaves - left, h + 1);
    return right + (weft_reclaim(&s, &a.task) ? tree(s, left, h) : a.leaves);
}

static void
run_tree(weft_strand s, weft_task *t)
{
    struct tree *a = (struct tree *)t;

    a->leaves = tree(s, a->leaves, a->seed);
}

uint64_t
pool_weft_tree(struct pool_place *at)
{
    struct tree root = {.leaves = POOL_TREE, .seed = 1};

    return run(at, &root.task, run_tree) && root.leaves == POOL_TREE
               ? POOL_TREE - 1
               : 0;
}

/* --- ten to a node --------------------------------------------------------------- */

struct skynet {
    weft_task task;
    uint64_t first; /* then the sum */
    uint64_t leaves;
};

static void
run_skynet(weft_strand s, weft_task *t)
{
    struct skynet *a = (struct skynet *)t;
    struct skynet parts[10];
    uint64_t sum = 0;

    if (a->leaves == 1)
        return;
    for (unsigned i = 0; i < 10; i++) {
        parts[i].first = a->first + i * (a->leaves / 10);
        parts[i].leaves = a->leaves / 10;
        weft_fork(&s, &parts[i].task, run_skynet);
    }
    for (unsigned i = 10; i-- > 0;) {
        weft_join(&s, &parts[i].task);
        sum += parts[i].first;
    }
    a->first = sum;
}

uint64_t
pool_weft_skynet(struct pool_place *at)
{
    const uint64_t n = POOL_SKYNET;
    struct skynet root = {.first = 0, .leaves = n};

    return run(at, &root.task, run_skynet) && root.first == n * (n - 1) / 2
               ? n + n / 9
               : 0;
}

/* --- all from one task ------------------------------------------------------------ */

struct flat {
    weft_task task;
    uint64_t count;
    struct flat *parts;
};

static void
run_part(weft_strand s, weft_task *t)
{
    (void)s;
    ((struct flat *)t)->count = 1;
}

static void
run_flat(weft_strand s, weft_task *t)
{
    struct flat *a = (struct flat *)t;

    for (unsigned i = 0; i < POOL_FLAT; i++)
        weft_fork(&s, &a->parts[i].task, run_part);
    for (unsigned i = POOL_FLAT; i-- > 0;) {
        weft_join(&s, &a->parts[i].task);
        a->count += a->parts[i].count;
    }
}

uint64_t
pool_weft_flat(struct pool_place *at)
{
    static struct flat parts[POOL_FLAT];
    struct flat root = {.count = 0, .parts = parts};

    return run(at, &root.task, run_flat) && root.count == POOL_FLAT ? POOL_FLAT
                                                                    : 0;
}

/* --- from outside ------------------------------------------------------------------ */

struct count {
    weft_pool *pool;
    _Atomic uint64_t done;
    bool failed;
};

static void *
count_one(void *counter)
{
    atomic_fetch_add_explicit((_Atomic uint64_t *)counter, 1,
                              memory_order_relaxed);
    return counter;
}

static void *
submit_all(void *arg)
{
    struct count *c = arg;

    for (unsigned i = 0; i < POOL_SUBMITS; i++)
        if (weft_pool_submit(c->pool, count_one, &c->done, NULL) != WEFT_OK)
            c->failed = true;
    return NULL;
}

static uint64_t
await(struct count *c, uint64_t n)
{
    while (!c->failed &&
           atomic_load_explicit(&c->done, memory_order_relaxed) != n)
        sched_yield();
    return c->failed ? 0 : n;
}

uint64_t
pool_weft_submit(struct pool_place *at)
{
    struct count c = {.pool = at->pool};

    submit_all(&c);
    return await(&c, POOL_SUBMITS);
}

uint64_t
pool_weft_two(struct pool_place *at)
{
    struct count c = {.pool = at->pool};
    pthread_t other;

    if (pthread_create(&other, NULL, submit_all, &c) != 0)
        return 0;
    submit_all(&c);
    pthread_join(other, NULL);
    return await(&c, 2 * POOL_SUBMITS);
}

uint64_t
pool_weft_futures(struct pool_place *at)
{
    static weft_future *futures[POOL_SUBMITS];
    struct count c = {.pool = at->pool};
    void *result;

    for (unsigned i = 0; i < POOL_SUBMITS; i++)
        if (weft_pool_submit(c.pool, count_one, &c.done, &futures[i]) !=
            WEFT_OK)
            return 0;
    for (unsigned i = 0; i < POOL_SUBMITS; i++) {
        c.failed |=
            weft_future_result(futures[i], WEFT_FOREVER, &result) != WEFT_OK;
        weft_future_release(futures[i]);
    }
    return await(&c, POOL_SUBMITS);
}

static bool
trip(struct count *c)
{
    weft_future *f;
    void *result;

    if (weft_pool_submit(c->pool, count_one, &c->done, &f) != WEFT_OK)
        return false;
    const bool done = weft_future_result(f, WEFT_FOREVER, &result) == WEFT_OK;
    weft_future_release(f);
    return done;
}

uint64_t
pool_weft_trips(struct pool_place *at)
{
    struct count c = {.pool = at->pool};

    for (unsigned i = 0; i < POOL_TRIPS; i++)
        c.failed |= !trip(&c);
    return await(&c, POOL_TRIPS);
}

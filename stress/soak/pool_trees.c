/* SPDX-License-Identifier: MIT */
/*
 * pool_trees.c - trees of forks, whose nodes act like any task now and then;
 * loops, maps and reductions.
 */
#include "soak/pool.h"

#define KIDS      4
#define TREE_MOST 5 /* deep */
#define ACT_ONE   64
#define NUMBERS   64
#define FAILED_ID 7

/* --- forks ---------------------------------------------------------------- */

struct node {
    weft_task task;
    struct soak_run *run;
    uint64_t seed;
    unsigned deep;  /* below it, at most */
    unsigned depth; /* as an actor's */
    uint64_t nodes; /* out: of its tree */
    _Atomic unsigned ran;
};

static unsigned
kids_of(uint64_t seed, unsigned deep)
{
    return deep == 0 ? 0 : (unsigned)(seed >> 32) % (KIDS + 1);
}

static uint64_t
seed_of_kid(uint64_t seed, unsigned k)
{
    uint64_t from = seed + k;

    return prng_mix(&from);
}

/* How many nodes its tree has. */
static uint64_t
nodes_of(uint64_t seed, unsigned deep)
{
    const unsigned kids = kids_of(seed, deep);
    uint64_t nodes = 1;

    for (unsigned k = 0; k < kids; k++)
        nodes += nodes_of(seed_of_kid(seed, k), deep - 1);
    return nodes;
}

static void
act_in_node(const struct node *n)
{
    struct soak_hand h = soak_guest(n->run, n->seed);
    struct soak_actor a = {.h = &h, .s = n->run->state, .depth = n->depth + 1};

    soak_act(&a);
    soak_let_go(&a);
}

static void run_node(weft_strand s, weft_task *t);

static void
check_ran(struct node *n)
{
    const unsigned ran = atomic_load_explicit(&n->ran, memory_order_relaxed);

    if (ran != 1)
        soak_fault(n->run, "a fork that was joined ran %u times", ran);
}

static void
join_kids(weft_strand *s, struct node *n, struct node *kids, unsigned count)
{
    const struct soak_pool_ops *ops = soak_pool_ops_of(n->run);

    while (count-- > 0) {
        struct node *kid = &kids[count];
        if (ops->reclaim(s, &kid->task))
            run_node(*s, &kid->task);
        check_ran(kid);
        n->nodes += kid->nodes;
    }
}

static void
run_node(weft_strand s, weft_task *t)
{
    struct node *n = (struct node *)t;
    const unsigned count = kids_of(n->seed, n->deep);
    struct node kids[KIDS];

    atomic_fetch_add_explicit(&n->ran, 1, memory_order_relaxed);
    n->nodes = 1;
    for (unsigned k = 0; k < count; k++) {
        kids[k].run = n->run;
        kids[k].seed = seed_of_kid(n->seed, k);
        kids[k].deep = n->deep - 1;
        kids[k].depth = n->depth;
        kids[k].nodes = 0;
        atomic_store_explicit(&kids[k].ran, 0, memory_order_relaxed);
        soak_pool_ops_of(n->run)->fork(&s, &kids[k].task, run_node);
    }
    if (n->seed % ACT_ONE == 0)
        act_in_node(n);
    join_kids(&s, n, kids, count);
}

void
soak_grow_tree(struct soak_actor *a)
{
    struct soak_run *run = a->h->run;
    struct node root = {.run = run,
                        .seed = prng_next(&a->h->random),
                        .deep = 1 + soak_below(a->h, TREE_MOST),
                        .depth = a->depth};

    soak_at(a->h, "weft_pool_run");
    const enum weft_status status =
        weft_pool_run(a->s->pool, &root.task, run_node);
    const unsigned ran = atomic_load_explicit(&root.ran, memory_order_relaxed);
    if (status != WEFT_OK && status != WEFT_CLOSED && status != WEFT_CANCELLED)
        soak_fault(run, "weft_pool_run returned %s", weft_status_name(status));
    else if (ran != (status == WEFT_OK))
        soak_fault(run, "weft_pool_run returned %s, its task ran %u times",
                   weft_status_name(status), ran);
    else if (ran > 0 && root.nodes != nodes_of(root.seed, root.deep))
        soak_fault(run, "a tree of %llu forks has run %llu",
                   (unsigned long long)nodes_of(root.seed, root.deep),
                   (unsigned long long)root.nodes);
    atomic_fetch_add_explicit(&a->s->forks, ran > 0 ? root.nodes - 1 : 0,
                              memory_order_relaxed);
}

/* --- loops ---------------------------------------------------------------- */

struct cells {
    _Atomic unsigned times[NUMBERS];
};

static void
touch(size_t begin, size_t end, void *ctx)
{
    struct cells *c = ctx;

    for (size_t i = begin; i < end; i++)
        atomic_fetch_add_explicit(&c->times[i], 1, memory_order_relaxed);
}

/* What a call says that has done all, or nothing. */
static bool
is_all_or_nothing(struct soak_hand *h, enum weft_status status)
{
    const bool is =
        status == WEFT_OK || status == WEFT_CLOSED || status == WEFT_CANCELLED;

    if (!is)
        soak_fault(h->run, "a loop, a map or a reduction returned %s",
                   weft_status_name(status));
    return is;
}

static void
share_loop(struct soak_actor *a)
{
    const size_t n = soak_below(a->h, NUMBERS);
    const size_t grain = soak_below(a->h, 4);
    struct cells c;

    for (size_t i = 0; i < NUMBERS; i++)
        atomic_init(&c.times[i], 0);
    soak_at(a->h, "weft_parallel_for");
    const enum weft_status status = soak_pool_ops_of(a->h->run)->parallel_for(
        a->s->pool, 0, n, grain, touch, &c);
    if (!is_all_or_nothing(a->h, status))
        return;
    for (size_t i = 0; i < NUMBERS; i++) {
        const unsigned times =
            atomic_load_explicit(&c.times[i], memory_order_relaxed);
        if (times != (status == WEFT_OK && i < n))
            soak_fault(a->h->run, "%s of a loop came to %zu of %zu %u times",
                       weft_status_name(status), i, n, times);
    }
}

/* --- maps and reductions ------------------------------------------------- */

struct cell {
    _Atomic unsigned times;
    bool fails;
};

static void *
map_cell(void *arg)
{
    struct cell *c = arg;

    atomic_fetch_add_explicit(&c->times, 1, memory_order_relaxed);
    return c->fails ? weft_fail(FAILED_ID, "this one fails") : arg;
}

static void
check_cells(struct soak_hand *h, struct cell *cells, void **results, size_t n,
            size_t failing, enum weft_status status)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned times =
            atomic_load_explicit(&cells[i].times, memory_order_relaxed);
        const bool must =
            status == WEFT_OK || (status == WEFT_FAILED && i <= failing);
        if (times > 1 || (must && times == 0))
            soak_fault(h->run, "a map called for %zu of %zu %u times", i, n,
                       times);
        if (must && i != failing && results[i] != &cells[i])
            soak_fault(h->run, "a map gave a wrong result");
    }
}

static void
share_map(struct soak_actor *a)
{
    struct cell cells[NUMBERS];
    void *items[NUMBERS];
    void *results[NUMBERS];
    const size_t n = 1 + soak_below(a->h, NUMBERS - 1);
    const size_t failing = soak_below(a->h, 2 * NUMBERS);
    weft_failure failure = {.index = NUMBERS};
    const weft_deadline deadline = soak_deadline(a->h);

    for (size_t i = 0; i < n; i++) {
        atomic_init(&cells[i].times, 0);
        cells[i].fails = i == failing;
        items[i] = &cells[i];
        results[i] = NULL;
    }
    soak_at(a->h, "weft_parallel_map");
    const enum weft_status status = weft_parallel_map(
        a->s->pool, map_cell, items, results, n, deadline, &failure);
    if (status == WEFT_TIMEOUT)
        soak_timed_out(a->h, deadline);
    else if (status == WEFT_FAILED ? failing >= n || failure.index != failing
                                   : is_all_or_nothing(a->h, status) &&
                                         status == WEFT_OK && failing < n)
        soak_fault(a->h->run, "a map of %zu returned %s, %zu fails", n,
                   weft_status_name(status), failing);
    /* With a deadline those before the one that failed may be left out. */
    if (status != WEFT_FAILED || deadline == WEFT_FOREVER)
        check_cells(a->h, cells, results, n, failing, status);
}

static void
fold(void *into, size_t begin, size_t end, void *ctx)
{
    uint64_t *sum = into;

    (void)ctx;
    for (size_t i = begin; i < end; i++)
        *sum += i;
}

static void
combine(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(uint64_t *)into += *(const uint64_t *)from;
}

static void
share_reduction(struct soak_actor *a)
{
    const uint64_t n = soak_below(a->h, NUMBERS);
    uint64_t sum = 0;

    soak_at(a->h, "weft_parallel_reduce");
    const enum weft_status status =
        weft_parallel_reduce(a->s->pool, 0, n, soak_below(a->h, 4), sizeof(sum),
                             &sum, fold, combine, NULL);
    if (is_all_or_nothing(a->h, status) && status == WEFT_OK &&
        sum * 2 != n * (n > 0 ? n - 1 : 0))
        soak_fault(a->h->run, "a sum is wrong");
}

void
soak_share(struct soak_actor *a)
{
    switch (soak_below(a->h, 3)) {
    case 0:
        share_loop(a);
        break;
    case 1:
        share_map(a);
        break;
    default:
        share_reduction(a);
        break;
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * pool.h - a pool under many threads, and under its own tasks, which do the
 * same: submit, wait, cancel, ask to stop, fork and join, share loops.
 *
 * In rounds: all threads meet, a pool is made, each makes some turns, all meet,
 * the pool is ended in one of the ways that there are, and each task is looked
 * at: one that was accepted has run or was dropped, once, and its future told
 * so, once.
 *
 * The calls are reached through operations, so that the tests can put broken
 * ones there and see the checks fail.
 */
#ifndef STRESS_SOAK_POOL_H
#define STRESS_SOAK_POOL_H

#include <weft/future.h>
#include <weft/parallel.h>
#include <weft/pool.h>

#include "soak/sync.h"

#define SOAK_ITEMS 512 /* a round, at most */
#define SOAK_HELD  6   /* whose futures a thread or a task keeps */
#define SOAK_DEPTH 3   /* tasks that submit tasks that submit */
#define SOAK_TURNS 40  /* of a thread, in a round */

struct soak_pool_ops {
    unsigned workers;
    enum weft_impl impl;
    enum weft_status (*submit)(weft_pool *p, weft_fn *fn, void *arg,
                               enum weft_priority priority,
                               weft_deadline deadline, weft_future **future);
    void (*fork)(weft_strand *s, weft_task *t, weft_task_fn *fn);
    bool (*reclaim)(weft_strand *s, weft_task *t);
    enum weft_status (*result)(weft_future *f, weft_deadline deadline,
                               void **result);
    enum weft_status (*on_done)(weft_future *f,
                                void (*fn)(weft_future *f, void *ctx),
                                void *ctx);
    bool (*cancel)(weft_future *f);
    enum weft_status (*parallel_for)(weft_pool *p, size_t begin, size_t end,
                                     size_t grain, weft_range_fn *fn,
                                     void *ctx);
};

extern const struct soak_pool_ops soak_pool_ops; /* the library's */

enum { SOAK_RAN, SOAK_DROPPED, SOAK_FORKED }; /* the tallies */

/* What a task does. */
enum soak_deed { DEED_NOTHING, DEED_FAIL, DEED_ACT, DEED_UNTIL_STOPPED };

/* A task that was submitted. */
struct soak_item {
    struct soak_run *run;
    uint64_t seed;
    enum soak_deed deed;
    unsigned depth; /* 1: from outside */
    _Atomic unsigned ran;
    _Atomic unsigned dropped;
    _Atomic unsigned told;
    _Atomic uint64_t plain; /* plain memory, but for broken subjects */
    /* Of who has submitted it, and at the end of the round. */
    bool accepted;
    bool registered;
    bool cancelled;
    bool known;           /* how it ended: */
    enum weft_status end; /* OK, FAILED or CANCELLED */
    weft_future *future;  /* NULL: none, or given back */
};

struct soak_pool_case {
    weft_pool *pool;
    struct soak_meeting meeting;
    unsigned shutdown_turn; /* of the first thread; SOAK_TURNS or more: none */
    bool left; /* a pool was released and tasks of it may still run */
    uint64_t round;
    size_t memory; /* in use after a round; 0: not known yet */
    alignas(128) _Atomic unsigned used;
    _Atomic unsigned open; /* that are not over, of those that were accepted */
    _Atomic uint64_t forks;
    struct soak_item items[SOAK_ITEMS];
};

/* A thread of the soak, or a task. */
struct soak_actor {
    struct soak_hand *h;
    struct soak_pool_case *s;
    unsigned depth; /* 0: outside */
    unsigned held;
    struct soak_item *items[SOAK_HELD];
};

static inline const struct soak_pool_ops *
soak_pool_ops_of(const struct soak_run *run)
{
    return run->subject->ops;
}

/* A hand for one that is no thread of the soak. */
static inline struct soak_hand
soak_guest(struct soak_run *run, uint64_t seed)
{
    struct soak_hand h = {.run = run, .state = run->state, .count = 1};

    prng_seed(&h.random, seed, 1);
    return h;
}

/* pool_items.c: one thing done with submitted tasks. */
void soak_act(struct soak_actor *a);
/* Take the hands off all that it holds. */
void soak_let_go(struct soak_actor *a);
/* The pool's `drop`. */
void soak_drop_item(void *item, void *state);
/* Whether all that were accepted have run or were dropped. */
bool soak_all_are_over(const struct soak_pool_case *s);
/* Whether it has come to its end; its future, too. */
bool soak_item_is_over(struct soak_item *i);
/* Now that it must be over: all that can be said of it. */
void soak_judge_item(struct soak_hand *h, struct soak_item *i);

/* pool_trees.c: one tree of forks; one loop, map or reduction. */
void soak_grow_tree(struct soak_actor *a);
void soak_share(struct soak_actor *a);

/* pool_rounds.c: of a subject. */
void soak_pool_body(struct soak_hand *h);
bool soak_pool_open(struct soak_run *run, void *state);
void soak_pool_close(struct soak_run *run, void *state);

/* Whether memory that is lost is seen here. */
bool soak_sees_memory(void);

extern const struct soak_subject soak_pool_subjects[];
extern const struct soak_subject *const soak_pools[];
extern const size_t soak_pool_count;

#endif /* STRESS_SOAK_POOL_H */

/* SPDX-License-Identifier: MIT */
/*
 * bench_mutex.c - one thread at a time: weft_mutex beside pthread mutexes of
 * every kind, nsync and Concurrency Kit's spin locks.
 *
 * The limit of a pair is what two compare-and-swaps take, from 0 to a tag and
 * back, which is all that a mutex with an owner can do.
 *
 * Spin locks that hand over in the order of arrival stand still as soon as the
 * next in line is not running: they take part where there is a CPU for each
 * thread, and nowhere else.
 */
#include <pthread.h>

#include <ck_spinlock.h>

#include <weft/mutex.h>

#include "bench/sync_loops.h"
#include "bench/sync_nsync.h"
#include "scenario.h"

static bool
init_zero(void *object, const struct sync_load *load, int kind)
{
    (void)object;
    (void)load;
    (void)kind;
    return true;
}

SYNC_INLINE void
weft_enter(struct sync_hand *h, void *m)
{
    (void)h;
    weft_mutex_lock(m);
}

SYNC_INLINE void
weft_leave(struct sync_hand *h, void *m)
{
    (void)h;
    weft_mutex_unlock(m);
}

SYNC_WORK(work_weft, .enter = weft_enter, .leave = weft_leave)

static bool
init_pthread(void *object, const struct sync_load *load, int kind)
{
    pthread_mutexattr_t a;

    (void)load;
    if (pthread_mutexattr_init(&a) != 0)
        return false;
    const bool done = pthread_mutexattr_settype(&a, kind) == 0 &&
                      pthread_mutex_init(object, &a) == 0;
    pthread_mutexattr_destroy(&a);
    return done;
}

static void
destroy_pthread(void *object)
{
    pthread_mutex_destroy(object);
}

SYNC_INLINE void
pthread_enter(struct sync_hand *h, void *m)
{
    (void)h;
    pthread_mutex_lock(m);
}

SYNC_INLINE void
pthread_leave(struct sync_hand *h, void *m)
{
    (void)h;
    pthread_mutex_unlock(m);
}

SYNC_WORK(work_pthread, .enter = pthread_enter, .leave = pthread_leave)

/* No lock at all with more than one thread: for the limit of a pair only. */
SYNC_INLINE void
cas_enter(struct sync_hand *h, void *word)
{
    uint32_t is = 0;

    (void)h;
    /* relaxed: one thread */
    atomic_compare_exchange_strong_explicit((_Atomic uint32_t *)word, &is, 8,
                                            memory_order_relaxed,
                                            memory_order_relaxed);
}

SYNC_INLINE void
cas_leave(struct sync_hand *h, void *word)
{
    uint32_t is = 8;

    (void)h;
    /* relaxed: one thread */
    atomic_compare_exchange_strong_explicit((_Atomic uint32_t *)word, &is, 0,
                                            memory_order_relaxed,
                                            memory_order_relaxed);
}

SYNC_WORK(work_limit, .enter = cas_enter, .leave = cas_leave)

SYNC_INLINE void
fas_enter(struct sync_hand *h, void *l)
{
    (void)h;
    ck_spinlock_fas_lock(l);
}

SYNC_INLINE void
fas_leave(struct sync_hand *h, void *l)
{
    (void)h;
    ck_spinlock_fas_unlock(l);
}

SYNC_WORK(work_fas, .enter = fas_enter, .leave = fas_leave)

SYNC_INLINE void
ticket_enter(struct sync_hand *h, void *l)
{
    (void)h;
    ck_spinlock_ticket_lock(l);
}

SYNC_INLINE void
ticket_leave(struct sync_hand *h, void *l)
{
    (void)h;
    ck_spinlock_ticket_unlock(l);
}

SYNC_WORK(work_ticket, .enter = ticket_enter, .leave = ticket_leave)

/* A thread's node is its own for as long as it is inside. */
SYNC_INLINE void
mcs_enter(struct sync_hand *h, void *l)
{
    ck_spinlock_mcs_lock(l, (ck_spinlock_mcs_context_t *)(void *)h->own);
}

SYNC_INLINE void
mcs_leave(struct sync_hand *h, void *l)
{
    ck_spinlock_mcs_unlock(l, (ck_spinlock_mcs_context_t *)(void *)h->own);
}

SYNC_WORK(work_mcs, .enter = mcs_enter, .leave = mcs_leave)

/* In CLH a node goes over to the next thread: the lock's first one is beside
 * it, each thread brings one in its `own`, which also says where its node is. */
struct clh {
    ck_spinlock_clh_t *tail;
    ck_spinlock_clh_t first;
};

struct clh_own {
    ck_spinlock_clh_t *node;
    ck_spinlock_clh_t brought;
};

static bool
init_clh(void *object, const struct sync_load *load, int kind)
{
    struct clh *c = object;

    (void)load;
    (void)kind;
    ck_spinlock_clh_init(&c->tail, &c->first);
    return true;
}

SYNC_INLINE void
clh_begin(struct sync_hand *h, void *object)
{
    struct clh_own *own = (struct clh_own *)(void *)h->own;

    (void)object;
    own->node = &own->brought;
}

SYNC_INLINE void
clh_enter(struct sync_hand *h, void *object)
{
    struct clh *c = object;

    ck_spinlock_clh_lock(&c->tail, ((struct clh_own *)(void *)h->own)->node);
}

SYNC_INLINE void
clh_leave(struct sync_hand *h, void *object)
{
    (void)object;
    ck_spinlock_clh_unlock(&((struct clh_own *)(void *)h->own)->node);
}

SYNC_WORK(work_clh, .begin = clh_begin, .enter = clh_enter, .leave = clh_leave)

#define WEFT                                                                  \
    {                                                                         \
        .name = "weft_mutex", .bytes = sizeof(weft_mutex), .init = init_zero, \
        .work = work_weft                                                     \
    }
#define PTHREAD(label, k, base)                                    \
    {                                                              \
        .name = label, .rival = true, .baseline = base, .kind = k, \
        .bytes = sizeof(pthread_mutex_t), .init = init_pthread,    \
        .destroy = destroy_pthread, .work = work_pthread           \
    }
#define ALL_PTHREAD                                                     \
    PTHREAD("pthread mutex", PTHREAD_MUTEX_NORMAL, true),               \
        PTHREAD("pthread errorcheck", PTHREAD_MUTEX_ERRORCHECK, false), \
        PTHREAD("pthread adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, false)
#define CK(label, t, w)                                                       \
    {                                                                         \
        .name = label, .note = "burns the CPU while it waits", .rival = true, \
        .unseen = true, .bytes = sizeof(t), .init = init_zero, .work = w      \
    }
#define FAS CK("ck_spinlock_fas", ck_spinlock_fas_t, work_fas)

static const struct sync_variant alone[] = {WEFT,
                                            {.name = "limit",
                                             .note = "two compare-and-swaps",
                                             .rival = true,
                                             .bytes = 4,
                                             .init = init_zero,
                                             .work = work_limit},
                                            ALL_PTHREAD,
                                            FAS,
                                            {.name = NULL}};

static const struct sync_variant two[] = {
    WEFT,
    ALL_PTHREAD,
    FAS,
    CK("ck_spinlock_ticket", ck_spinlock_ticket_t, work_ticket),
    CK("ck_spinlock_mcs", ck_spinlock_mcs_t, work_mcs),
    {.name = "ck_spinlock_clh",
     .note = "burns the CPU while it waits",
     .rival = true,
     .unseen = true,
     .bytes = sizeof(struct clh),
     .init = init_clh,
     .work = work_clh},
    {.name = NULL}};

static const struct sync_variant many[] = {
    WEFT, ALL_PTHREAD, FAS, {.name = NULL}};

#define SECTIONS(label, heading, v, n, in, out)                               \
    {                                                                         \
        .name = label, .title = heading, .variants = v, .job = SYNC_SECTIONS, \
        .threads = {n}, .more = sync_nsync_mutex, .inside_ns = in,            \
        .outside_ns = out                                                     \
    }

static const struct sync_table tables[] = {
    {.name = "pair",
     .title = "lock and unlock",
     .variants = alone,
     .more = sync_nsync_mutex,
     .job = SYNC_PAIR,
     .threads = {1}},
    SECTIONS("short-2", "50 ns inside, 100 outside", two, 2, 50, 100),
    SECTIONS("long-2", "500 ns inside, 500 outside", two, 2, 500, 500),
    SECTIONS("short-16", "50 ns inside, 100 outside", many, 16, 50, 100),
    SECTIONS("long-16", "500 ns inside, 500 outside", many, 16, 500, 500),
    {.name = "idle",
     .title = "one waits for 100 ms",
     .variants = many,
     .more = sync_nsync_mutex,
     .job = SYNC_IDLE,
     .threads = {2}},
    {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench mutex", tables, o, r);
}

const struct scenario bench_mutex = {
    .command = "bench",
    .name = "mutex",
    .summary = "one thread at a time, and it is known which",
    .run = run,
    .extras = sync_extras,
};

/* SPDX-License-Identifier: MIT */
/*
 * bench_rmutex.c - locks that their owner may lock again: weft_rmutex beside
 * the recursive mutex of pthreads.
 *
 * A pair is the first lock and the last unlock; nested, a lock and an unlock of
 * what the thread holds already.  The limit of the first is two
 * compare-and-swaps, of the second a counter that goes up and down.
 */
#include <pthread.h>

#include <weft/rmutex.h>

#include "bench/sync_loops.h"
#include "scenario.h"

static bool
init_weft(void *object, const struct sync_load *load, int kind)
{
    (void)load;
    (void)kind;
    weft_rmutex_init(object);
    return true;
}

SYNC_INLINE void
weft_enter(struct sync_hand *h, void *m)
{
    (void)h;
    weft_rmutex_lock(m);
}

SYNC_INLINE void
weft_leave(struct sync_hand *h, void *m)
{
    (void)h;
    weft_rmutex_unlock(m);
}

SYNC_INLINE void
weft_nested(struct sync_hand *h, void *m)
{
    weft_enter(h, m);
    weft_leave(h, m);
}

SYNC_WORK(work_weft, .enter = weft_enter, .leave = weft_leave)
SYNC_WORK(nested_weft, .begin = weft_enter, .call = weft_nested,
          .end = weft_leave)

static bool
init_pthread(void *object, const struct sync_load *load, int kind)
{
    pthread_mutexattr_t a;

    (void)load;
    (void)kind;
    if (pthread_mutexattr_init(&a) != 0)
        return false;
    const bool done =
        pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE) == 0 &&
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

SYNC_INLINE void
pthread_nested(struct sync_hand *h, void *m)
{
    pthread_enter(h, m);
    pthread_leave(h, m);
}

SYNC_WORK(work_pthread, .enter = pthread_enter, .leave = pthread_leave)
SYNC_WORK(nested_pthread, .begin = pthread_enter, .call = pthread_nested,
          .end = pthread_leave)

/* No lock at all with more than one thread: for the limits only. */
static bool
init_limit(void *object, const struct sync_load *load, int kind)
{
    (void)object;
    (void)load;
    (void)kind;
    return true;
}

static void
swap(void *word, uint32_t from, uint32_t to)
{
    /* relaxed: one thread */
    atomic_compare_exchange_strong_explicit((_Atomic uint32_t *)word, &from, to,
                                            memory_order_relaxed,
                                            memory_order_relaxed);
}

SYNC_INLINE void
limit_enter(struct sync_hand *h, void *word)
{
    (void)h;
    swap(word, 0, 8);
}

SYNC_INLINE void
limit_leave(struct sync_hand *h, void *word)
{
    (void)h;
    swap(word, 8, 0);
}

SYNC_INLINE void
limit_nested(struct sync_hand *h, void *word)
{
    volatile uint32_t *depth = word;

    (void)h;
    *depth = *depth + 1;
    *depth = *depth - 1;
}

SYNC_WORK(work_limit, .enter = limit_enter, .leave = limit_leave)
SYNC_WORK(nested_limit, .call = limit_nested)

#define VARIANTS(w)                                                   \
    {.name = "weft_rmutex",                                           \
     .bytes = sizeof(weft_rmutex),                                    \
     .init = init_weft,                                               \
     .work = w##_weft},                                               \
    {                                                                 \
        .name = "pthread recursive", .rival = true, .baseline = true, \
        .bytes = sizeof(pthread_mutex_t), .init = init_pthread,       \
        .destroy = destroy_pthread, .work = w##_pthread               \
    }
#define LIMIT(w)                                                        \
    {                                                                   \
        .name = "limit", .rival = true, .bytes = 4, .init = init_limit, \
        .work = w##_limit                                               \
    }

static const struct sync_variant outer[] = {
    VARIANTS(work), LIMIT(work), {.name = NULL}};
static const struct sync_variant nested[] = {
    VARIANTS(nested), LIMIT(nested), {.name = NULL}};
static const struct sync_variant shared[] = {VARIANTS(work), {.name = NULL}};

static const struct sync_table tables[] = {
    {.name = "pair",
     .title = "first lock and last unlock",
     .variants = outer,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = "nested",
     .title = "lock and unlock of what it holds",
     .variants = nested,
     .job = SYNC_CALL,
     .threads = {1}},
    {.name = "short",
     .title = "50 ns inside, 100 outside",
     .variants = shared,
     .job = SYNC_SECTIONS,
     .threads = {2, 16},
     .inside_ns = 50,
     .outside_ns = 100},
    {.name = "long",
     .title = "500 ns inside, 500 outside",
     .variants = shared,
     .job = SYNC_SECTIONS,
     .threads = {2, 16},
     .inside_ns = 500,
     .outside_ns = 500},
    {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench rmutex", tables, o, r);
}

const struct scenario bench_rmutex = {
    .command = "bench",
    .name = "rmutex",
    .summary = "a mutex that its owner may lock again",
    .run = run,
    .extras = sync_extras,
};

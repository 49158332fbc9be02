/* SPDX-License-Identifier: MIT */
/*
 * bench_deadlock.c - what the detector costs: locks without contention, while
 * it is off and while it is on, beside pthread mutexes.
 *
 * It is on for the whole process, so a row switches it on when its thread
 * begins and off when it ends; no two rows run at a time.
 */
#include <pthread.h>

#include <weft/deadlock.h>
#include <weft/mutex.h>
#include <weft/rwlock.h>

#include "bench/sync_loops.h"
#include "scenario.h"

/* A lock inside another; to read, one alone. */
struct two {
    weft_mutex outer;
    weft_mutex inner;
    weft_rwlock shared;
};

struct two_pthread {
    pthread_mutex_t outer;
    pthread_mutex_t inner;
};

static bool
init_weft(void *object, const struct sync_load *load, int kind)
{
    (void)object;
    (void)load;
    (void)kind;
    return true;
}

SYNC_INLINE void
switch_on(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    (void)weft_deadlock_enable(WEFT_DEADLOCK_REPORT);
}

SYNC_INLINE void
switch_off(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    (void)weft_deadlock_enable(WEFT_DEADLOCK_OFF);
}

SYNC_INLINE void
nested_enter(struct sync_hand *h, void *object)
{
    struct two *t = object;

    (void)h;
    weft_mutex_lock(&t->outer);
    weft_mutex_lock(&t->inner);
}

SYNC_INLINE void
nested_leave(struct sync_hand *h, void *object)
{
    struct two *t = object;

    (void)h;
    weft_mutex_unlock(&t->inner);
    weft_mutex_unlock(&t->outer);
}

SYNC_WORK(nested_off, .enter = nested_enter, .leave = nested_leave)
SYNC_WORK(nested_on, .begin = switch_on, .end = switch_off,
          .enter = nested_enter, .leave = nested_leave)

SYNC_INLINE void
read_enter(struct sync_hand *h, void *object)
{
    (void)h;
    weft_rwlock_read_lock(&((struct two *)object)->shared);
}

SYNC_INLINE void
read_leave(struct sync_hand *h, void *object)
{
    (void)h;
    weft_rwlock_read_unlock(&((struct two *)object)->shared);
}

SYNC_WORK(read_off, .enter = read_enter, .leave = read_leave)
SYNC_WORK(read_on, .begin = switch_on, .end = switch_off, .enter = read_enter,
          .leave = read_leave)

static bool
init_pthread(void *object, const struct sync_load *load, int kind)
{
    struct two_pthread *t = object;

    (void)load;
    (void)kind;
    return pthread_mutex_init(&t->outer, NULL) == 0 &&
           pthread_mutex_init(&t->inner, NULL) == 0;
}

SYNC_INLINE void
pthread_enter(struct sync_hand *h, void *object)
{
    struct two_pthread *t = object;

    (void)h;
    pthread_mutex_lock(&t->outer);
    pthread_mutex_lock(&t->inner);
}

SYNC_INLINE void
pthread_leave(struct sync_hand *h, void *object)
{
    struct two_pthread *t = object;

    (void)h;
    pthread_mutex_unlock(&t->inner);
    pthread_mutex_unlock(&t->outer);
}

SYNC_WORK(nested_pthread, .enter = pthread_enter, .leave = pthread_leave)

#define ROW(name_, work_)                                              \
    {                                                                  \
        .name = name_, .bytes = sizeof(struct two), .init = init_weft, \
        .work = work_                                                  \
    }

static const struct sync_variant nested[] = {
    ROW("off", nested_off),
    ROW("on", nested_on),
    {.name = "pthread mutex",
     .rival = true,
     .baseline = true,
     .bytes = sizeof(struct two_pthread),
     .init = init_pthread,
     .work = nested_pthread},
    {.name = NULL}};

static const struct sync_variant reads[] = {
    ROW("off", read_off), ROW("on", read_on), {.name = NULL}};

static const struct sync_table tables[] = {
    {.name = "nested",
     .title = "a mutex in a mutex, both pairs",
     .variants = nested,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = "read",
     .title = "a read-write lock, to read",
     .variants = reads,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench deadlock", tables, o, r);
}

const struct scenario bench_deadlock = {
    .command = "bench",
    .name = "deadlock",
    .summary = "what the detector costs: locks while it is off, and on",
    .run = run,
    .extras = sync_extras,
};

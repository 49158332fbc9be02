/* SPDX-License-Identifier: MIT */
/*
 * bench_once.c - weft_once beside pthread_once and call_once of C11: what a
 * look at one that is done costs, and a first run.
 */
#include <pthread.h>
#include <threads.h>

#include <weft/once.h>

#include "bench/sync_loops.h"
#include "scenario.h"

static enum weft_status
do_nothing(void *ctx)
{
    (void)ctx;
    return WEFT_OK;
}

static void
do_nothing_plainly(void)
{
}

SYNC_INLINE void
weft_done(struct sync_hand *h, void *o)
{
    h->wrong += weft_once_run(o, do_nothing, NULL) != WEFT_OK;
}

SYNC_INLINE void
pthread_done(struct sync_hand *h, void *o)
{
    (void)h;
    pthread_once(o, do_nothing_plainly);
}

SYNC_INLINE void
c11_done(struct sync_hand *h, void *o)
{
    (void)h;
    call_once(o, do_nothing_plainly);
}

/* What any check costs: a load and a branch. */
SYNC_INLINE void
load_done(struct sync_hand *h, void *o)
{
    /* relaxed: one thread */
    h->wrong +=
        atomic_load_explicit((_Atomic uint32_t *)o, memory_order_relaxed) != 0;
}

SYNC_WORK(work_weft, .call = weft_done)
SYNC_WORK(work_pthread, .call = pthread_done)
SYNC_WORK(work_c11, .call = c11_done)
SYNC_WORK(work_load, .call = load_done)

SYNC_INLINE void
weft_first(struct sync_hand *h, void *object)
{
    weft_once *o = object;

    weft_done(h, o);
    /* relaxed: one thread */
    atomic_store_explicit(&o->word, 0, memory_order_relaxed);
}

SYNC_INLINE void
pthread_first(struct sync_hand *h, void *object)
{
    pthread_once_t *o = object;

    *o = PTHREAD_ONCE_INIT;
    pthread_done(h, o);
}

SYNC_WORK(work_weft_first, .call = weft_first)
SYNC_WORK(work_pthread_first, .call = pthread_first)

static const struct sync_variant done[] = {
    {.name = "weft", .bytes = sizeof(weft_once), .work = work_weft},
    {.name = "pthread_once",
     .rival = true,
     .baseline = true,
     .bytes = sizeof(pthread_once_t),
     .work = work_pthread},
    {.name = "C11 call_once",
     .rival = true,
     .bytes = sizeof(once_flag),
     .work = work_c11},
    {.name = "a load (limit)",
     .rival = true,
     .bytes = sizeof(uint32_t),
     .work = work_load},
    {.name = NULL}};

static const struct sync_variant first[] = {
    {.name = "weft", .bytes = sizeof(weft_once), .work = work_weft_first},
    {.name = "pthread_once",
     .rival = true,
     .baseline = true,
     .bytes = sizeof(pthread_once_t),
     .work = work_pthread_first},
    {.name = NULL}};

static const struct sync_table tables[] = {{.name = "done",
                                            .title = "it is done already",
                                            .variants = done,
                                            .job = SYNC_CALL,
                                            .threads = {1},
                                            .weight = 1},
                                           {.name = "first",
                                            .title = "it runs",
                                            .variants = first,
                                            .job = SYNC_CALL,
                                            .threads = {1},
                                            .weight = 1},
                                           {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench once", tables, o, r);
}

const struct scenario bench_once = {
    .command = "bench",
    .name = "once",
    .summary = "what it costs that something has been done",
    .run = run,
    .extras = sync_extras,
};

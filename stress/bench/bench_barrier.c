/* SPDX-License-Identifier: MIT */
/*
 * bench_barrier.c - threads that meet, round after round: weft_barrier beside
 * pthread_barrier and Concurrency Kit's centralized barrier.
 *
 * The last never sleeps: with more threads than CPUs each round waits for the
 * scheduler to take the CPU away from those that spin.
 */
#include <pthread.h>

#include <ck_barrier.h>

#include <weft/barrier.h>

#include "bench/sync_loops.h"
#include "scenario.h"

static bool
init_weft(void *object, const struct sync_load *load, int kind)
{
    (void)kind;
    return weft_barrier_init(object, load->threads, NULL, NULL) == WEFT_OK;
}

SYNC_INLINE void
weft_meet(struct sync_hand *h, void *b)
{
    h->wrong += weft_barrier_wait(b, WEFT_FOREVER, NULL) != WEFT_OK;
}

static bool
init_pthread(void *object, const struct sync_load *load, int kind)
{
    (void)kind;
    return pthread_barrier_init(object, NULL, load->threads) == 0;
}

static void
destroy_pthread(void *object)
{
    pthread_barrier_destroy(object);
}

SYNC_INLINE void
pthread_meet(struct sync_hand *h, void *b)
{
    (void)h;
    pthread_barrier_wait(b);
}

SYNC_INLINE void
ck_meet(struct sync_hand *h, void *b)
{
    ck_barrier_centralized(b, (ck_barrier_centralized_state_t *)(void *)h->own,
                           h->run->load->threads);
}

SYNC_WORK(work_weft, .meet = weft_meet)
SYNC_WORK(work_pthread, .meet = pthread_meet)
SYNC_WORK(work_ck, .meet = ck_meet)

#define WEFT                                                              \
    {                                                                     \
        .name = "weft", .bytes = sizeof(weft_barrier), .init = init_weft, \
        .work = work_weft                                                 \
    }
#define PTHREAD                                                     \
    {                                                               \
        .name = "pthread_barrier", .rival = true, .baseline = true, \
        .bytes = sizeof(pthread_barrier_t), .init = init_pthread,   \
        .destroy = destroy_pthread, .work = work_pthread            \
    }

static const struct sync_variant all[] = {
    WEFT,
    PTHREAD,
    {.name = "ck_barrier_centralized",
     .note = "spins, never sleeps",
     .rival = true,
     .unseen = true,
     .bytes = sizeof(ck_barrier_centralized_t),
     .work = work_ck},
    {.name = NULL}};

/* Those that sleep. */
static const struct sync_variant sleeping[] = {WEFT, PTHREAD, {.name = NULL}};

static const struct sync_table tables[] = {
    {.name = "hot",
     .title = "threads that meet and do nothing else",
     .variants = all,
     .job = SYNC_ROUNDS,
     .threads = {2}},
    {.name = "more",
     .title = "the same, more than there are CPUs",
     .variants = sleeping,
     .job = SYNC_ROUNDS,
     .threads = {4, 8, 16}},
    {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench barrier", tables, o, r);
}

const struct scenario bench_barrier = {
    .command = "bench",
    .name = "barrier",
    .summary = "how long it takes until all have met",
    .run = run,
    .extras = sync_extras,
};

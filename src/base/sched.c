/* SPDX-License-Identifier: MIT */
/*
 * base/sched.c - what a schedule point does.
 *
 * Each thread draws from a generator of its own (xorshift64*: Vigna, An
 * Experimental Exploration of Marsaglia's xorshift Generators, Scrambled, ACM
 * TOMS 2016), started from the seed and the order in which threads first came
 * by.  The name of the point is mixed in, so that two points a thread passes
 * one after the other do not act in step.
 *
 * Ordering.  None: the seed is written once, before the threads that matter,
 * and the count of threads carries no data; both are relaxed.
 */
#include "base/sched.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define YIELD_ONE_IN 8
#define SLEEP_ONE_IN 512
#define SLEEP_NS     50000

static _Atomic uint64_t threads_seen;
static _Thread_local uint64_t state; /* 0: not seeded yet */
static _Thread_local int idle;       /* no seed: never act */

static void
start(void)
{
    const char *seed = getenv("WEFT_SCHED_SEED");
    uint64_t value = seed == NULL ? 0 : strtoull(seed, NULL, 0);

    idle = value == 0;
    uint64_t nth =
        atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed) + 1;
    state = value ^ nth * UINT64_C(0x9e3779b97f4a7c15);
    if (state == 0)
        state = 1;
}

static uint64_t
draw(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d) >> 32;
}

void
weft_sched_point_(const char *name)
{
    if (state == 0)
        start();
    if (idle)
        return;

    uint64_t chance = draw() + (unsigned char)name[0];
    if (chance % SLEEP_ONE_IN == 0) {
        struct timespec pause = {0, SLEEP_NS};
        int cancel;
        /* No call becomes a cancellation point by this. */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
        nanosleep(&pause, NULL);
        pthread_setcancelstate(cancel, NULL);
    } else if (chance % YIELD_ONE_IN == 1) {
        sched_yield();
    }
}

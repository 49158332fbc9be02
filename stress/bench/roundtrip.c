/* SPDX-License-Identifier: MIT */
/*
 * roundtrip.c - how far apart two CPUs are: a cache line goes there and back.
 *
 * Two pinned threads answer each other through one word.  The host may take a
 * CPU away meanwhile, so the trips are timed in batches and the median batch
 * counts.
 *
 * Ordering.  The word is all there is to see, so it is relaxed.
 */
#include <weft/base.h>

#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "bench/bench.h"
#include "progress.h"
#include "workers.h"

#define BATCHES 15
#define TRIPS   100 /* in a batch: 25 us on a machine with far CPUs */

/* The word has a line of its own; odd: it is the answerer's move. */
struct court {
    alignas(128) _Atomic unsigned word;
    alignas(128) double batch_ns[BATCHES];
};

static void
play(struct worker *w)
{
    struct court *court = w->shared;
    int64_t begin_ns = 0;

    for (unsigned move = 0; move < BATCHES * TRIPS; move++) {
        const unsigned mine = 2 * move + w->index;
        while (atomic_load_explicit(&court->word, memory_order_relaxed) != mine)
            continue;
        if (w->index == 0 && move % TRIPS == 0) {
            const int64_t now_ns = clock_ns();
            if (move > 0)
                court->batch_ns[move / TRIPS - 1] =
                    (double)(now_ns - begin_ns) / TRIPS;
            begin_ns = now_ns;
        }
        atomic_store_explicit(&court->word, mine + 1, memory_order_relaxed);
    }
}

double
bench_round_trip(struct report *r)
{
    cpu_set_t mine;

    if (sched_getaffinity(0, sizeof(mine), &mine) != 0 ||
        CPU_COUNT(&mine) < 2 || weft_cpu_count() < 2)
        return 0;
    struct court court = {.word = 0};
    struct crew crew = {
        .threads = 2, .pin = true, .body = play, .shared = &court};
    if (!crew_run(&crew, r))
        return -1;
    return bench_median(court.batch_ns, BATCHES - 1);
}

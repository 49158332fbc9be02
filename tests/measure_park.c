/* SPDX-License-Identifier: MIT */
/*
 * measure_park.c - how long should a wait spin before it sleeps?
 *
 *   usage: make tests/measure_park && tests/measure_park
 *
 * Two threads hand a turn to and fro.  Each works for a while on its turn, and
 * the other meanwhile waits: it spins for so long and then sleeps.  For each
 * length of the work and of the spin the tables show what a round trip takes
 * beyond the work, and the CPU time that both threads spend beyond it: once
 * with a CPU for each thread, once with one for both.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include <ck_pr.h>

#include "base/deadline.h"
#include "base/park.h"

#define TRIPS 4000

static const int64_t works_ns[] = {0, 500, 1000, 2000, 5000, 10000, 50000};
static const int64_t spins_ns[] = {0, 1000, 2000, 4000, 8000, 16000, 32000};

#define WORKS (sizeof(works_ns) / sizeof(works_ns[0]))
#define SPINS (sizeof(spins_ns) / sizeof(spins_ns[0]))

static bool together; /* both threads on one CPU */
static int64_t work_ns;
static int64_t spin_ns;
static _Atomic uint32_t turn;     /* even: the first thread's */
static _Atomic uint32_t sleeping; /* how many may need to be woken */

static void
work(void)
{
    const int64_t end = weft_clock_ns_() + work_ns;

    while (work_ns > 0 && weft_clock_ns_() < end)
        ck_pr_stall();
}

static void
await_turn(uint32_t mine)
{
    const int64_t end = weft_clock_ns_() + spin_ns;
    uint32_t seen;

    while ((seen = atomic_load_explicit(&turn, memory_order_acquire)) != mine) {
        ck_pr_stall();
        if (weft_clock_ns_() < end)
            continue;
        atomic_fetch_add_explicit(&sleeping, 1, memory_order_seq_cst);
        (void)!weft_park_wait_(&turn, seen, WEFT_FOREVER);
        atomic_fetch_sub_explicit(&sleeping, 1, memory_order_relaxed);
    }
}

/* Stay on the k-th CPU of those this process may use. */
static bool
pin(uint32_t k)
{
    static cpu_set_t mine;
    cpu_set_t one;

    if (CPU_COUNT(&mine) == 0 && sched_getaffinity(0, sizeof(mine), &mine) != 0)
        return false;
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &mine) && k-- == 0)
            CPU_SET(cpu, &one);
    return CPU_COUNT(&one) == 1 && sched_setaffinity(0, sizeof(one), &one) == 0;
}

static void *
play(void *me)
{
    if (!together)
        pin(*(uint32_t *)me);
    for (uint32_t t = *(uint32_t *)me; t < 2 * TRIPS; t += 2) {
        await_turn(t);
        work();
        atomic_store_explicit(&turn, t + 1, memory_order_seq_cst);
        if (atomic_load_explicit(&sleeping, memory_order_seq_cst) > 0)
            weft_park_wake_(&turn, 1);
    }
    return me;
}

static int64_t
cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void
measure(double *trip_us, double *cpu_us)
{
    uint32_t first = 0;
    uint32_t second = 1;
    pthread_t other;

    atomic_store_explicit(&turn, 0, memory_order_relaxed);
    const int64_t start_ns = weft_clock_ns_();
    const int64_t start_cpu_ns = cpu_ns();
    if (pthread_create(&other, NULL, play, &second) != 0)
        return;
    play(&first);
    pthread_join(other, NULL);
    *trip_us = (double)(weft_clock_ns_() - start_ns) / TRIPS / 1000;
    *cpu_us = (double)(cpu_ns() - start_cpu_ns) / TRIPS / 1000;
    *trip_us -= 2.0 * (double)work_ns / 1000;
    *cpu_us -= 2.0 * (double)work_ns / 1000;
}

static void
print_table(void)
{
    printf("\nwork of each");
    for (size_t s = 0; s < SPINS; s++)
        printf("    spin %5.1f  ", (double)spins_ns[s] / 1000);
    puts("");
    for (size_t w = 0; w < WORKS; w++) {
        work_ns = works_ns[w];
        printf("%12.1f", (double)work_ns / 1000);
        for (size_t s = 0; s < SPINS; s++) {
            double trip_us = 0;
            double used_us = 0;
            spin_ns = spins_ns[s];
            measure(&trip_us, &used_us);
            printf("  %6.2f / %5.1f", trip_us, used_us);
            fflush(stdout);
        }
        puts("");
    }
}

int
main(void)
{
    puts("[us] beyond the work, per round trip: elapsed / CPU time");
    if (pin(1) && pin(0)) {
        puts("\na CPU for each");
        print_table();
    }
    puts("\none CPU for both");
    together = true;
    if (pin(0))
        print_table();
    return 0;
}

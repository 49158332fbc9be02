/* SPDX-License-Identifier: MIT */
/*
 * memory.c - what the orders of many locks take: memory, and time.
 *
 * One thread, which Weft has started, takes 100 000 locks again and again, alone
 * or inside of others.  The memory is what the process has more of afterwards.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/sanitized.h"
#include "hangs.h"
#include "memory.h"

#define LOCKS    100000
#define MOST_MIB 68 /* 64, and what else a process may need meanwhile */
#define ROUND_S  0.5

struct visit {
    weft_mutex *locks;
    size_t outer; /* of these many each is inside one; 0: alone */
    double taken_per_s;
};

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What the process has in memory [MiB]; 0: not known. */
static double
resident_mib(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long all;
    unsigned long resident = 0;

    if (f == NULL)
        return 0;
    if (fscanf(f, "%lu %lu", &all, &resident) != 2)
        resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void
take_all(const struct visit *v)
{
    for (size_t i = v->outer; i < LOCKS; i++) {
        weft_mutex *outer = v->outer > 0 ? &v->locks[i % v->outer] : NULL;
        if (outer != NULL)
            weft_mutex_lock(outer);
        weft_mutex_lock(&v->locks[i]);
        weft_mutex_unlock(&v->locks[i]);
        if (outer != NULL)
            weft_mutex_unlock(outer);
    }
}

static void *
visit_all(void *visit)
{
    struct visit *v = visit;
    double taken = 0;

    take_all(v); /* from now on all is known */
    const double begin = now_s();
    double over;
    do {
        take_all(v);
        taken += (double)(LOCKS - v->outer) * (v->outer > 0 ? 2 : 1);
        over = now_s() - begin;
    } while (over < ROUND_S);
    v->taken_per_s = taken / over;
    return NULL;
}

static void
add_row(struct table *t, const char *name, size_t outer)
{
    struct visit v = {must_have(LOCKS, sizeof(*v.locks)), outer, 0};

    for (size_t i = 0; i < LOCKS; i++) /* a new life, and in memory */
        weft_mutex_init(&v.locks[i]);
    const double before = resident_mib();
    deadlock_join(deadlock_start(visit_all, &v, "visitor"));
    const double more = resident_mib() - before;
    free(v.locks);
    table_row(t);
    table_text(t, "%s", name);
    table_real(t, v.taken_per_s / 1e6, 2);
    table_real(t, more, 1);
    if (SANITIZED_THREADS)
        table_verdict(t, VERDICT_OK, "with memory of a sanitizer's: no limit");
    else if (more > MOST_MIB)
        table_verdict(t, VERDICT_FAILED, "more than %d MiB", MOST_MIB);
    else
        table_verdict(t, VERDICT_OK, "at most %d MiB", MOST_MIB);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    (void)o;
    if (weft_deadlock_enable(WEFT_DEADLOCK_REPORT) != WEFT_OK)
        return report_abandon(r, "no detector");
    report_say(r,
               "%d locks, each taken again and again by one thread; row by row "
               "in one process,",
               LOCKS);
    report_say(r, "so the last may find the 64 MiB full.");
    struct table *t = report_table(r, "memory", NULL);
    table_column(t, "each", NULL);
    table_column(t, "taken", "M/s");
    table_column(t, "resident, more", "MiB");
    add_row(t, "alone", 0);
    add_row(t, "inside one", 1);
    add_row(t, "inside one of 100", 100);
    table_end(t);
    (void)weft_deadlock_enable(WEFT_DEADLOCK_OFF);
    return OUTCOME_OK;
}

const struct scenario deadlock_memory = {
    .command = "deadlock",
    .name = "memory",
    .summary = "what the orders of 100 000 locks take",
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * sync_measure.c - one variant, one job, so many threads: runs them, judges
 * what they found, and works out the numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/place.h"
#include "bench/sync.h"
#include "memory.h"
#include "progress.h"

static int64_t
switches(void)
{
    struct rusage u;

    return getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_nvcsw : 0;
}

static void
body(struct worker *w)
{
    struct sync_run *run = w->shared;
    struct sync_hand *h = &run->hands[w->index];

    if (run->load->place != SYNC_ANYWHERE)
        bench_pin(run->load->place == SYNC_ONE_CPU ? 0 : w->index);
    h->worker = w;
    h->random = prng_next(&w->random);
    h->switches = -switches();
    h->begin_ns = clock_ns();
    run->variant->work(h);
    h->end_ns = clock_ns();
    h->switches += switches();
    h->worker = NULL;
}

static void
free_body(struct worker *w)
{
    bench_place(w->index);
    body(w);
}

/* Its object, on lines of its own whatever its size. */
static bool
open_run(struct sync_run *run, const struct sync_variant *v,
         const struct sync_load *load)
{
    const size_t lines = (v->bytes + 127) / 128 + 1;

    run->variant = v;
    run->load = load;
    atomic_init(&run->last_round, UINT64_MAX);
    run->object = must_have(lines, 128);
    if (v->init != NULL && !v->init(run->object, load, v->kind)) {
        free(run->object);
        return false;
    }
    run->hands = must_have(load->threads, sizeof(struct sync_hand));
    for (unsigned i = 0; i < load->threads; i++) {
        run->hands[i].run = run;
        run->hands[i].object = run->object;
        run->hands[i].index = i;
    }
    return true;
}

static void
close_run(struct sync_run *run)
{
    if (run->variant->destroy != NULL)
        run->variant->destroy(run->object);
    free(run->hands);
    free(run->object);
}

struct total {
    uint64_t done;
    uint64_t writes;
    uint64_t wrong;
    uint64_t most;
    uint64_t fewest;
    int64_t begin_ns;
    int64_t end_ns;
    int64_t switches;
};

static struct total
total_of(const struct sync_run *run)
{
    struct total t = {.fewest = UINT64_MAX, .begin_ns = INT64_MAX};

    for (unsigned i = 0; i < run->load->threads; i++) {
        const struct sync_hand *h = &run->hands[i];
        t.done += h->done;
        t.writes += h->writes;
        t.wrong += h->wrong;
        t.switches += h->switches;
        t.most = h->done > t.most ? h->done : t.most;
        t.fewest = h->done < t.fewest ? h->done : t.fewest;
        t.begin_ns = h->begin_ns < t.begin_ns ? h->begin_ns : t.begin_ns;
        t.end_ns = h->end_ns > t.end_ns ? h->end_ns : t.end_ns;
    }
    return t;
}

/* What the plain counter must have come to. */
static uint64_t
counted(const struct sync_run *run, const struct total *t)
{
    switch (run->load->job) {
    case SYNC_PAIR:
    case SYNC_CALL:
    case SYNC_ROUNDS:
        return 0;
    case SYNC_SECTIONS:
    case SYNC_PING:
        return t->done;
    case SYNC_READERS:
        return t->writes;
    case SYNC_IDLE:
        return t->done / 2; /* by the one that kept the other waiting */
    }
    return 0;
}

static void
judge(const struct sync_run *run, const struct total *t,
      char fault[BENCH_FAULT_BYTES])
{
    const uint64_t plain =
        atomic_load_explicit(&run->plain, memory_order_relaxed);
    const uint64_t due = counted(run, t);

    if (t->done == 0)
        snprintf(fault, BENCH_FAULT_BYTES, "it never came to its first turn");
    else if (plain != due)
        snprintf(fault, BENCH_FAULT_BYTES,
                 "%llu turns inside counted to %llu: two were in at once",
                 (unsigned long long)due, (unsigned long long)plain);
    else if (run->load->job == SYNC_ROUNDS && t->most != t->fewest)
        snprintf(fault, BENCH_FAULT_BYTES,
                 "one was through %llu rounds, another through %llu",
                 (unsigned long long)t->most, (unsigned long long)t->fewest);
    else if (t->wrong > 0)
        snprintf(fault, BENCH_FAULT_BYTES,
                 "%llu times one was where it must not be",
                 (unsigned long long)t->wrong);
    else if (run->variant->check != NULL)
        run->variant->check(run->object, run->load, fault);
}

/* In the unit of the job. */
static double
value_of(const struct sync_run *run, const struct total *t)
{
    const double ns = (double)(t->end_ns - t->begin_ns);
    const double done = (double)t->done;
    const double threads = run->load->threads;

    if (t->done == 0)
        return 0;
    switch (run->load->job) {
    case SYNC_PAIR:
    case SYNC_CALL:
        return ns * threads / done * (run->load->in_us ? 1e-3 : 1);
    case SYNC_SECTIONS:
    case SYNC_READERS:
        return done / ns * 1e3;
    case SYNC_PING:
    case SYNC_ROUNDS:
        return ns * threads / done * 1e-3;
    case SYNC_IDLE:
        return (double)run->hands[0].idle_ns / (double)run->hands[0].done *
               1e-3;
    }
    return 0;
}

static void
fill(const struct sync_run *run, struct bench_sample *out)
{
    const struct total t = total_of(run);

    judge(run, &t, out->fault);
    out->value = value_of(run, &t);
    out->switches = (double)t.switches / (double)(t.end_ns - t.begin_ns) * 1e9;
    /* One that never had its turn counts as if it had one. */
    if (run->load->threads > 1)
        out->turns = (double)t.most / (double)(t.fewest > 0 ? t.fewest : 1);
}

bool
sync_measure(const struct bench_table *t, const struct bench_row *row,
             const struct bench_cell *cell, struct bench_sample *out)
{
    const struct sync_load *load = t->load;
    const struct sync_variant *v = row->subject;
    const bool placed = load->place != SYNC_ANYWHERE;
    struct sync_run run = {.seconds = cell->seconds};
    struct crew crew = {
        .threads = load->threads,
        .seconds = cell->seconds,
        .pin = cell->pin && !placed,
        .seed = cell->seed,
        .body = cell->pin || placed ? body : free_body,
        .shared = &run,
    };

    if (!open_run(&run, v, load)) {
        report_abandon(cell->report, "%s: cannot be set up", v->name);
        return false;
    }
    const bool ok = crew_run(&crew, cell->report);
    if (ok)
        fill(&run, out);
    close_run(&run);
    return ok;
}

/* SPDX-License-Identifier: MIT */
/*
 * counter.c - runs one counter with so many threads, and checks its sum.
 */
#include "bench/counter.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/latency.h"
#include "bench/place.h"
#include "memory.h"
#include "progress.h"

void
counter_check(const struct counter_run *run, int64_t sum,
              char fault[BENCH_FAULT_BYTES])
{
    uint64_t done = run->job == COUNTER_SUM ? COUNTER_READ_SUM : 0;
    uint64_t wrong = 0;

    for (unsigned i = 0; i < run->hand_count; i++) {
        wrong += run->hands[i].wrong;
        if (run->job != COUNTER_SUM)
            done += run->hands[i].done;
    }
    fault[0] = '\0';
    if ((uint64_t)sum != done)
        snprintf(fault, BENCH_FAULT_BYTES, "the sum is %lld, %llu were added",
                 (long long)sum, (unsigned long long)done);
    else if (wrong > 0)
        snprintf(fault, BENCH_FAULT_BYTES, "%llu sums were wrong",
                 (unsigned long long)wrong);
}

static void
body(struct worker *w)
{
    struct counter_run *run = w->shared;
    struct counter_hand *h = &run->hands[w->index];

    h->worker = w;
    h->begin_ns = clock_ns();
    run->variant->work(h);
    h->end_ns = clock_ns();
    h->worker = NULL;
}

static void
free_body(struct worker *w)
{
    bench_place(w->index);
    body(w);
}

static bool
open_run(struct counter_run *run, const struct counter_variant *v,
         const struct counter_load *load, enum counter_job job)
{
    *run = (struct counter_run){.variant = v, .job = job};
    run->counter = v->create(load->threads, v->kind);
    if (run->counter == NULL)
        return false;
    run->hand_count = job == COUNTER_SUM ? 1 : load->threads;
    run->hands = must_have(run->hand_count, sizeof(struct counter_hand));
    for (unsigned i = 0; i < run->hand_count; i++) {
        struct counter_hand *h = &run->hands[i];
        h->run = run;
        h->counter = run->counter;
        h->index = i;
        if (job == COUNTER_ADD_TIMED) {
            h->times = histogram_create(2, HISTOGRAM_MINUTES);
            if (h->times == NULL)
                return false;
        }
    }
    return true;
}

static void
close_run(struct counter_run *run)
{
    for (unsigned i = 0; run->hands != NULL && i < run->hand_count; i++)
        if (run->hands[i].times != NULL)
            histogram_destroy(run->hands[i].times);
    free(run->hands);
    if (run->counter != NULL)
        run->variant->destroy(run->counter);
}

static void
fill_throughput(const struct counter_run *run, struct bench_sample *out)
{
    int64_t begin_ns = INT64_MAX;
    int64_t end_ns = 0;
    uint64_t done = 0;
    uint64_t most = 0;
    uint64_t fewest = UINT64_MAX;

    for (unsigned i = 0; i < run->hand_count; i++) {
        const struct counter_hand *h = &run->hands[i];
        begin_ns = h->begin_ns < begin_ns ? h->begin_ns : begin_ns;
        end_ns = h->end_ns > end_ns ? h->end_ns : end_ns;
        most = h->done > most ? h->done : most;
        fewest = h->done < fewest ? h->done : fewest;
        done += h->done;
    }
    const double ns = (double)(end_ns - begin_ns);
    if (done == 0)
        return;
    out->value =
        run->job == COUNTER_SUM ? ns / (double)done : (double)done / ns * 1e3;
    /* One that never had its turn counts as if it had one. */
    if (run->hand_count > 1)
        out->turns = (double)most / (double)(fewest > 0 ? fewest : 1);
}

static void
fill_latency(const struct counter_run *run, struct bench_sample *out)
{
    struct histogram *all = run->hands[0].times;

    for (unsigned i = 1; i < run->hand_count; i++)
        histogram_merge(all, run->hands[i].times);
    bench_latency(all, out);
}

static bool
run_once(const struct counter_variant *v, const struct counter_load *load,
         const struct bench_cell *cell, double seconds, enum counter_job job,
         struct bench_sample *out)
{
    struct counter_run run;
    struct crew crew = {
        .seconds = seconds,
        .pin = cell->pin,
        .seed = cell->seed,
        .body = cell->pin ? body : free_body,
        .shared = &run,
    };

    if (!open_run(&run, v, load, job)) {
        close_run(&run);
        report_abandon(cell->report, "%s: no memory", v->name);
        return false;
    }
    if (job == COUNTER_SUM) {
        run.job = COUNTER_FILL;
        v->work(&run.hands[0]);
        run.job = job;
    }
    crew.threads = run.hand_count;
    const bool ok = crew_run(&crew, cell->report);
    if (ok) {
        if (out->fault[0] == '\0')
            counter_check(&run, v->sum(run.counter), out->fault);
        if (job == COUNTER_ADD_TIMED)
            fill_latency(&run, out);
        else
            fill_throughput(&run, out);
    }
    close_run(&run);
    return ok;
}

bool
counter_measure(const struct bench_table *t, const struct bench_row *row,
                const struct bench_cell *cell, struct bench_sample *out)
{
    const struct counter_load *load = t->load;
    const double share = t->has_latency ? 1 - BENCH_LATENCY_SHARE : 1;

    if (!run_once(row->subject, load, cell, cell->seconds * share,
                  load->reads ? COUNTER_SUM : COUNTER_ADD, out))
        return false;
    return !t->has_latency || run_once(row->subject, load, cell,
                                       cell->seconds * BENCH_LATENCY_SHARE,
                                       COUNTER_ADD_TIMED, out);
}

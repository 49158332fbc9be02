/* SPDX-License-Identifier: MIT */
/*
 * queue.c - runs one variant under one load, and checks what it moved.
 *
 * Ordering.  Queues under test carry the items.  One edge of our own:
 *
 *     finish    a producer's last push  ->  a consumer that then finds the
 *               queue empty is right to leave
 */
#include "bench/queue.h"

#include <ck_pr.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/latency.h"
#include "bench/place.h"
#include "memory.h"
#include "progress.h"

#define PAUSES     16   /* before the first yield */
#define YIELDS     1024 /* between two looks at the clock, a power of two */
#define GIVE_UP_NS INT64_C(2000000000)

unsigned
queue_wait(struct queue_hand *h, unsigned tries)
{
    if (tries < PAUSES) {
        ck_pr_stall();
        return tries + 1;
    }
    sched_yield();
    if (tries < PAUSES + YIELDS)
        return tries + 1;
    if (worker_is_stopped(h->worker)) {
        const int64_t now_ns = clock_ns();
        if (h->given_up_ns == 0)
            h->given_up_ns = now_ns + GIVE_UP_NS;
        if (now_ns >= h->given_up_ns)
            return 0;
    }
    return PAUSES;
}

int64_t
queue_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
queue_await_end(const struct queue_hand *h)
{
    const struct timespec moment = {0, 1000000};

    while (!worker_is_stopped(h->worker))
        nanosleep(&moment, NULL);
}

void
queue_produced(struct queue_hand *h)
{
    struct queue_run *run = h->run;
    const unsigned were = atomic_fetch_sub_explicit(
        &run->producing, 1, memory_order_acq_rel); /* acq_rel: finish */

    if (were == 1 && run->variant->finish != NULL)
        run->variant->finish(run->queue);
}

bool
queue_is_dry(const struct queue_hand *h)
{
    /* acquire: finish */
    return atomic_load_explicit(&h->run->producing, memory_order_acquire) == 0;
}

void
queue_check(const struct queue_run *run, char fault[BENCH_FAULT_BYTES])
{
    uint64_t pushed = 0;
    uint64_t popped = 0;
    uint64_t difference = 0;
    uint64_t disorder = 0;

    for (unsigned i = 0; i < run->hand_count; i++) {
        const struct queue_hand *h = &run->hands[i];
        pushed += h->pushed;
        popped += h->popped;
        difference += h->pushed_sum - h->popped_sum;
        disorder += h->disorder;
    }
    fault[0] = '\0';
    if (pushed > popped)
        snprintf(fault, BENCH_FAULT_BYTES, "%llu of %llu items were lost",
                 (unsigned long long)(pushed - popped),
                 (unsigned long long)pushed);
    else if (popped > pushed)
        snprintf(fault, BENCH_FAULT_BYTES, "%llu items went in, %llu came out",
                 (unsigned long long)pushed, (unsigned long long)popped);
    else if (difference != 0)
        snprintf(fault, BENCH_FAULT_BYTES,
                 "what came out is not what went in: sums differ");
    else if (disorder != 0 && (run->variant->modes & QUEUE_UNORDERED) == 0)
        snprintf(fault, BENCH_FAULT_BYTES,
                 "%llu items overtook another of the same producer",
                 (unsigned long long)disorder);
}

/* What thread `index` of the crew does: first the producers. */
static enum queue_job
job_of(const struct queue_load *load, unsigned index)
{
    const bool first = index < load->producers;

    switch (load->kind) {
    case QUEUE_FLOW:
        return first ? QUEUE_PRODUCE : QUEUE_CONSUME;
    case QUEUE_BULKY:
        return first ? QUEUE_PRODUCE_BULK : QUEUE_CONSUME_BULK;
    case QUEUE_PAIRS:
        return QUEUE_PUSH_POP;
    case QUEUE_PING:
        return first ? QUEUE_ASK : QUEUE_ANSWER;
    case QUEUE_SLEEP:
        return first ? QUEUE_RING : QUEUE_DOZE;
    }
    return QUEUE_PUSH_POP;
}

static void
body(struct worker *w)
{
    struct queue_run *run = w->shared;
    struct queue_hand *h = &run->hands[w->index];

    if (run->load->one_cpu)
        bench_pin(0);
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
open_run(struct queue_run *run, const struct queue_variant *v,
         const struct queue_load *load, bool timed)
{
    *run = (struct queue_run){.variant = v, .load = load, .timed = timed};
    run->queue = v->create(load, v->kind);
    if (load->kind == QUEUE_PING)
        run->back = v->create(load, v->kind);
    if (run->queue == NULL || (load->kind == QUEUE_PING && run->back == NULL))
        return false;
    run->hand_count = load->kind == QUEUE_PAIRS
                          ? load->producers
                          : load->producers + load->consumers;
    run->hands = must_have(run->hand_count, sizeof(struct queue_hand));
    atomic_init(&run->producing, load->producers);
    for (unsigned i = 0; i < run->hand_count; i++) {
        struct queue_hand *h = &run->hands[i];
        h->run = run;
        h->queue = run->queue;
        h->back = run->back;
        h->job = job_of(load, i);
        h->index = i < load->producers ? i : i - load->producers;
        h->last = must_have(load->producers, sizeof(h->last[0]));
        if (timed) {
            h->times = histogram_create(2, HISTOGRAM_MINUTES);
            if (h->times == NULL)
                return false;
        }
    }
    return true;
}

static void
close_run(struct queue_run *run)
{
    for (unsigned i = 0; run->hands != NULL && i < run->hand_count; i++) {
        free(run->hands[i].last);
        if (run->hands[i].times != NULL)
            histogram_destroy(run->hands[i].times);
    }
    free(run->hands);
    if (run->back != NULL)
        run->variant->destroy(run->back);
    if (run->queue != NULL)
        run->variant->destroy(run->queue);
}

/* Most over fewest of the operations of those with the same job. */
static double
turns_of(const struct queue_run *run, unsigned from, unsigned to)
{
    uint64_t most = 0;
    uint64_t fewest = UINT64_MAX;

    for (unsigned i = from; i < to; i++) {
        const struct queue_hand *h = &run->hands[i];
        const uint64_t turns = h->pushed > h->popped ? h->pushed : h->popped;
        most = turns > most ? turns : most;
        fewest = turns < fewest ? turns : fewest;
    }
    /* One that never had its turn counts as if it had one. */
    return to - from < 2 ? 0 : (double)most / (double)(fewest > 0 ? fewest : 1);
}

static void
fill_throughput(const struct queue_run *run, struct bench_sample *out)
{
    const struct queue_load *load = run->load;
    int64_t begin_ns = INT64_MAX;
    int64_t end_ns = 0;
    uint64_t popped = 0;

    for (unsigned i = 0; i < run->hand_count; i++) {
        const struct queue_hand *h = &run->hands[i];
        begin_ns = h->begin_ns < begin_ns ? h->begin_ns : begin_ns;
        end_ns = h->end_ns > end_ns ? h->end_ns : end_ns;
        popped += h->popped;
    }
    const double ns = (double)(end_ns - begin_ns);
    if (popped == 0)
        return;
    if (load->kind == QUEUE_PING)
        out->value = ns / (double)popped / 1e3; /* us a round trip */
    else if (load->kind == QUEUE_SLEEP)
        out->value = (double)run->hands[1].cpu_ns / 1e6; /* ms */
    else if (load->kind == QUEUE_PAIRS && load->producers == 1)
        out->value = ns / (double)popped; /* ns a pair */
    else
        out->value = (double)popped / ns * 1e3; /* millions a second */

    const double first = turns_of(run, 0, load->producers);
    const double second = turns_of(run, load->producers, run->hand_count);
    out->turns = first > second ? first : second;
}

static void
fill_latency(const struct queue_run *run, struct bench_sample *out)
{
    struct histogram *all = run->hands[0].times;

    for (unsigned i = 1; i < run->hand_count; i++)
        histogram_merge(all, run->hands[i].times);
    bench_latency(all, out);
}

static bool
run_once(const struct queue_variant *v, const struct queue_load *load,
         const struct bench_cell *cell, double seconds, bool timed,
         struct bench_sample *out)
{
    struct queue_run run;
    struct crew crew = {
        .seconds = seconds,
        .pin = cell->pin,
        .seed = cell->seed,
        .body = cell->pin ? body : free_body,
        .shared = &run,
    };

    if (!open_run(&run, v, load, timed)) {
        close_run(&run);
        report_abandon(cell->report, "%s: no memory for %zu items", v->name,
                       load->capacity);
        return false;
    }
    crew.threads = run.hand_count;
    const bool ok = crew_run(&crew, cell->report);
    if (ok) {
        char fault[BENCH_FAULT_BYTES];
        queue_check(&run, fault);
        if (out->fault[0] == '\0')
            snprintf(out->fault, sizeof(out->fault), "%s", fault);
        if (timed)
            fill_latency(&run, out);
        else
            fill_throughput(&run, out);
    }
    close_run(&run);
    return ok;
}

bool
queue_measure(const struct bench_table *t, const struct bench_row *row,
              const struct bench_cell *cell, struct bench_sample *out)
{
    const double share = t->has_latency ? 1 - BENCH_LATENCY_SHARE : 1;

    if (!run_once(row->subject, t->load, cell, cell->seconds * share, false,
                  out))
        return false;
    return !t->has_latency ||
           run_once(row->subject, t->load, cell,
                    cell->seconds * BENCH_LATENCY_SHARE, true, out);
}

/* SPDX-License-Identifier: MIT */
/*
 * heap.c - runs one variant under one load, and checks that afterwards each
 * item comes out once, and in order.
 */
#include "bench/heap.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/place.h"
#include "memory.h"

/* Before: what the load begins with. */
static bool
prepare(struct heap_run *run, uint64_t seed)
{
    struct prng random;

    prng_seed(&random, seed, UINT64_MAX);
    run->heap = run->variant->create(run->variant->kind);
    if (run->heap == NULL)
        return false;
    for (size_t i = 0; i < run->load->size; i++) {
        struct heap_item *item = &run->items[i];
        item->key = run->load->kind == HEAP_HOLD
                        ? (int64_t)i
                        : prng_below(&random, UINT32_MAX);
        if (run->load->kind != HEAP_FILL &&
            !run->variant->push(run->heap, item))
            return false;
    }
    return true;
}

/* Afterwards: all items are there, once each, and what is left is in order. */
static void
check(struct heap_run *run, char fault[BENCH_FAULT_BYTES])
{
    const struct heap_item *last = NULL;
    struct heap_item *item;
    uint64_t disorder = 0;
    uint64_t wrong = 0;

    while ((item = run->variant->pop(run->heap)) != NULL) {
        disorder += last != NULL && last->key > item->key;
        item->seen++;
        last = item;
    }
    for (unsigned i = 0; i < run->load->threads; i++)
        wrong += run->hands[i].lost;
    for (size_t i = 0; i < run->load->size; i++)
        wrong += run->items[i].seen != 1;
    if (wrong > 0)
        snprintf(fault, BENCH_FAULT_BYTES, "%llu items lost or doubled",
                 (unsigned long long)wrong);
    else if (disorder > 0)
        snprintf(fault, BENCH_FAULT_BYTES, "%llu items out of order",
                 (unsigned long long)disorder);
}

static void
fill_in(const struct heap_run *run, double seconds, struct bench_sample *out)
{
    uint64_t all = 0;
    uint64_t most = 0;
    uint64_t fewest = UINT64_MAX;

    for (unsigned i = 0; i < run->load->threads; i++) {
        const uint64_t turns = run->hands[i].turns;
        all += turns;
        most = turns > most ? turns : most;
        fewest = turns < fewest ? turns : fewest;
    }
    out->value = (double)all / seconds / 1e6;
    if (run->load->threads > 1)
        out->turns = (double)most / (double)(fewest > 0 ? fewest : 1);
}

static void
free_body(struct worker *w)
{
    struct heap_run *run = w->shared;

    bench_place(w->index);
    run->variant->work(w);
}

bool
heap_measure(const struct bench_table *t, const struct bench_row *row,
             const struct bench_cell *cell, struct bench_sample *out)
{
    const struct heap_variant *v = row->subject;
    const struct heap_load *load = t->load;
    struct heap_run run = {.variant = v, .load = load};
    struct crew crew = {
        .threads = load->threads,
        .seconds = load->kind == HEAP_HOLD ? cell->seconds : 0,
        .pin = cell->pin,
        .seed = cell->seed,
        .body = cell->pin ? v->work : free_body,
        .shared = &run,
    };
    bool ok = false;

    run.items = must_have(load->size, sizeof(run.items[0]));
    run.hands = must_have(load->threads, sizeof(run.hands[0]));
    if (!prepare(&run, cell->seed)) {
        report_abandon(cell->report, "%s: no memory for %u items", v->name,
                       load->size);
    } else if (crew_run(&crew, cell->report)) {
        fill_in(&run, crew.elapsed_s, out);
        check(&run, out->fault);
        ok = true;
    }
    if (run.heap != NULL)
        v->destroy(run.heap);
    free(run.hands);
    free(run.items);
    return ok;
}

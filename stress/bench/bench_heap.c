/* SPDX-License-Identifier: MIT */
/*
 * bench_heap.c - `weft-stress bench heap`.
 *
 * hold    each thread pops an item and pushes it again further back, by 0 to
 *         twice the size at random, so that the size stays and every place in
 *         the heap is as likely (the hold model: Jean G. Vaucher and Pierre
 *         Duval, A Comparison of Simulation Event List Algorithms, CACM 1975)
 * fill    all threads push, at random, into an empty one
 * drain   all threads pop until it is empty
 */
#include <stdlib.h>
#include <string.h>

#include "bench/heap.h"
#include "bench/scenario_run.h"
#include "bench/sync.h"
#include "bench/text.h"
#include "memory.h"
#include "scenario.h"

#define DURATION_S 60
#define ROUNDS     5
#define FILL_SIZE  100000

static const struct heap_variant *const variants[] = {heap_weft, heap_pthread,
                                                      heap_glib, NULL};

static bool
has(const char *text, const char *part)
{
    return part == NULL || strstr(text, part) != NULL;
}

static void
add_table(struct bench_run *run, const struct options *o,
          const struct heap_load *load, const char *kind)
{
    char *name = bench_text("%s-%u-%u", kind, load->size, load->threads);
    struct heap_load *copy = must_have(1, sizeof(*copy));

    *copy = *load;
    if (!has(name, options_extra(o, "table"))) {
        free(name);
        free(copy);
        return;
    }
    struct bench_table *t = bench_table(
        run,
        &(struct bench_table){
            .name = name,
            .title = bench_text("%s, %u items, %u thread%s", kind, load->size,
                                load->threads, load->threads > 1 ? "s" : ""),
            .unit = load->kind == HEAP_HOLD ? "M pairs/s" : "M items/s",
            .has_turns = load->threads > 1,
            .weight = 1,
            .measure = heap_measure,
            .load = copy});
    for (size_t i = 0; variants[i] != NULL; i++)
        for (const struct heap_variant *v = variants[i]; v->name != NULL; v++)
            if ((v->most == 0 || load->size <= v->most) &&
                has(v->name, options_extra(o, "only")))
                bench_row(t, &(struct bench_row){.name = v->name,
                                                 .note = v->note,
                                                 .rival = v->rival,
                                                 .baseline = v->baseline,
                                                 .subject = v});
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const unsigned sizes[] = {100, 10000, 1000000};
    static const unsigned usual[] = {1, 2, 4, 8};
    const bool said = o->thread_counts > 0;
    const unsigned *threads = said ? o->threads : usual;
    const size_t count = said ? o->thread_counts : 4;
    struct bench_run b;

    bench_begin(&b, "bench heap", o, r, DURATION_S, ROUNDS);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (size_t i = 0; i < count; i++)
            add_table(&b, o,
                      &(struct heap_load){HEAP_HOLD, threads[i], sizes[s]},
                      "hold");
    for (size_t i = 0; i < count; i++) {
        add_table(&b, o, &(struct heap_load){HEAP_FILL, threads[i], FILL_SIZE},
                  "fill");
        add_table(&b, o, &(struct heap_load){HEAP_DRAIN, threads[i], FILL_SIZE},
                  "drain");
    }
    return bench_run_scenario(&b, "as each table says");
}

const struct scenario bench_heap = {
    .command = "bench",
    .name = "heap",
    .summary = "priority queues",
    .run = run,
    .extras = sync_extras,
};

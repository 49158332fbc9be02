/* SPDX-License-Identifier: MIT */
/*
 * queue_tables.c - which tables a bench of queues has.
 */
#include <string.h>

#include "bench/queue.h"
#include "bench/text.h"
#include "memory.h"

#define PAIRS_CAPACITY 1024 /* far more than threads: never full */

static unsigned
mode_of(unsigned producers, unsigned consumers)
{
    if (producers == 1)
        return consumers == 1 ? QUEUE_SPSC : QUEUE_SPMC;
    return consumers == 1 ? QUEUE_MPSC : QUEUE_MPMC;
}

static bool
is_wanted(const struct queue_plan *plan, const char *kind)
{
    return options_include(plan->options, "rows", kind);
}

static const char *
bound_of(const struct queue_plan *plan)
{
    return plan->bound != NULL ? plan->bound : "capacity";
}

static void
add_rows(struct bench_table *t, const struct queue_plan *plan, unsigned modes,
         bool bulk)
{
    for (size_t i = 0; plan->variants[i] != NULL; i++) {
        const struct queue_variant *v = plan->variants[i];
        for (; v->name != NULL; v++) {
            if ((v->modes & modes) == 0 || (bulk && !v->has_bulk))
                continue;
            if (plan->only != NULL && strstr(v->name, plan->only) == NULL)
                continue;
            bench_row(t, &(struct bench_row){.name = v->name,
                                             .note = v->note,
                                             .rival = v->rival,
                                             .baseline = v->baseline,
                                             .subject = v});
        }
    }
}

static const struct queue_load *
load_of(struct queue_load load)
{
    struct queue_load *copy = must_have(1, sizeof(*copy));

    *copy = load;
    return copy;
}

static void
add_flow(struct bench_run *run, const struct queue_plan *plan, unsigned p,
         unsigned c, unsigned capacity)
{
    struct bench_table *t = bench_table(
        run, &(struct bench_table){
                 .name = bench_text("throughput-%ux%u-%u", p, c, capacity),
                 .title = bench_text("%u producer%s, %u consumer%s, %s %u", p,
                                     p > 1 ? "s" : "", c, c > 1 ? "s" : "",
                                     bound_of(plan), capacity),
                 .unit = "M items/s",
                 .has_turns = p > 1 || c > 1,
                 .has_latency = true,
                 .weight = 1.5,
                 .measure = queue_measure,
                 .load = load_of(
                     (struct queue_load){QUEUE_FLOW, p, c, capacity, false})});
    add_rows(t, plan, mode_of(p, c), false);
}

static void
add_bulk(struct bench_run *run, const struct queue_plan *plan, unsigned p,
         unsigned c)
{
    struct bench_table *t = bench_table(
        run, &(struct bench_table){
                 .name = bench_text("bulk-%ux%u", p, c),
                 .title = bench_text(
                     "bulk of %d: %u producer%s, %u consumer%s, "
                     "%s %u",
                     QUEUE_BULK, p, p > 1 ? "s" : "", c, c > 1 ? "s" : "",
                     bound_of(plan), plan->capacities[0]),
                 .unit = "M items/s",
                 .has_turns = p > 1 || c > 1,
                 .weight = 1,
                 .measure = queue_measure,
                 .load = load_of((struct queue_load){
                     QUEUE_BULKY, p, c, plan->capacities[0], false})});
    add_rows(t, plan, mode_of(p, c), true);
}

static void
add_pairs(struct bench_run *run, const struct queue_plan *plan,
          unsigned threads)
{
    const bool one = threads == 1;
    struct bench_table *t = bench_table(
        run, &(struct bench_table){
                 .name = bench_text("pairs-%u", threads),
                 .title = one ? bench_text("one thread, push + pop")
                              : bench_text("%u threads, each pushes, then pops",
                                           threads),
                 .unit = one ? "ns/pair" : "M pairs/s",
                 .less_is_better = one,
                 .has_turns = !one,
                 .weight = one ? 0.5 : 1,
                 .measure = queue_measure,
                 .load = load_of((struct queue_load){
                     QUEUE_PAIRS, threads, threads, PAIRS_CAPACITY, false})});
    add_rows(t, plan, one ? plan->alone : QUEUE_MPMC, false);
}

static void
add_ping(struct bench_run *run, const struct queue_plan *plan)
{
    struct bench_table *t = bench_table(
        run,
        &(struct bench_table){
            .name = bench_text("ping-pong"),
            .title = bench_text("hand-over there and back, two queues, one "
                                "item"),
            .unit = "us/round trip",
            .less_is_better = true,
            .weight = 0.5,
            .measure = queue_measure,
            .load = load_of(
                (struct queue_load){QUEUE_PING, 1, 1, PAIRS_CAPACITY, false})});
    add_rows(t, plan, QUEUE_SPSC, false);
}

void
queue_tables(struct bench_run *run, const struct queue_plan *plan)
{
    for (size_t k = 0; k < plan->capacity_count; k++)
        for (size_t i = 0; i < plan->mix_count && is_wanted(plan, "throughput");
             i++)
            add_flow(run, plan, plan->mixes[i].producers,
                     plan->mixes[i].consumers, plan->capacities[k]);
    for (size_t i = 0; i < plan->pair_count && is_wanted(plan, "pairs"); i++)
        add_pairs(run, plan, plan->pairs[i]);
    for (size_t i = 0; i < plan->bulk_count && is_wanted(plan, "bulk"); i++)
        add_bulk(run, plan, plan->bulks[i].producers, plan->bulks[i].consumers);
    if (is_wanted(plan, "ping-pong"))
        add_ping(run, plan);
}

static void
add_waiting(struct bench_run *run, const struct queue_plan *plan,
            const char *name, const char *title, struct queue_load load)
{
    const bool sleeps = load.kind == QUEUE_SLEEP;
    struct bench_table *t =
        bench_table(run, &(struct bench_table){.name = bench_text("%s", name),
                                               .title = bench_text("%s", title),
                                               .unit = sleeps ? "ms of CPU"
                                                              : "us/round trip",
                                               .less_is_better = true,
                                               .weight = sleeps ? 1 : 0.5,
                                               .measure = queue_measure,
                                               .load = load_of(load)});
    add_rows(t, plan, QUEUE_SPSC, false);
}

void
queue_blocking_tables(struct bench_run *run, const struct queue_plan *plan,
                      const struct queue_variant *const *unbounded)
{
    struct queue_plan open = *plan;

    open.variants = unbounded;
    open.bound = "no capacity, window";
    for (size_t i = 0; i < plan->mix_count && is_wanted(plan, "throughput");
         i++)
        add_flow(run, plan, plan->mixes[i].producers, plan->mixes[i].consumers,
                 plan->capacities[0]);
    for (size_t i = 0; i < plan->mix_count && is_wanted(plan, "unbounded"); i++)
        add_flow(run, &open, plan->mixes[i].producers, plan->mixes[i].consumers,
                 plan->capacities[0]);
    if (is_wanted(plan, "ping-pong")) {
        add_waiting(run, plan, "ping-pong", "hand-over there and back",
                    (struct queue_load){.kind = QUEUE_PING,
                                        .producers = 1,
                                        .consumers = 1,
                                        .capacity = PAIRS_CAPACITY});
        add_waiting(run, plan, "ping-pong-one-cpu",
                    "hand-over there and back, one CPU",
                    (struct queue_load){.kind = QUEUE_PING,
                                        .producers = 1,
                                        .consumers = 1,
                                        .capacity = PAIRS_CAPACITY,
                                        .one_cpu = true});
    }
    if (is_wanted(plan, "sleep"))
        add_waiting(run, plan, "sleep", "a pop that sleeps all the time",
                    (struct queue_load){.kind = QUEUE_SLEEP,
                                        .producers = 1,
                                        .consumers = 1,
                                        .capacity = PAIRS_CAPACITY});
}

void
queue_quick_table(struct bench_run *run, const struct queue_plan *plan,
                  unsigned each, unsigned capacity)
{
    struct bench_table *t = bench_table(
        run,
        &(struct bench_table){
            .name = bench_text("throughput-%ux%u-%u", each, each, capacity),
            .title = bench_text("%u x %u", each, each),
            .unit = "M items/s",
            .weight = 1,
            .measure = queue_measure,
            .load = load_of(
                (struct queue_load){QUEUE_FLOW, each, each, capacity, false})});
    add_rows(t, plan, QUEUE_MPMC, false);
}

void
queue_plan(struct queue_plan *plan, const struct options *o)
{
    const char *mix = options_extra(o, "mix");
    const char *capacity = options_extra(o, "capacity");

    plan->options = o;
    plan->only = options_extra(o, "only");
    if (mix != NULL)
        plan->mix_count = options_mixes(mix, plan->mixes, QUEUE_LIST_MAX);
    plan->capacities[0] = 1024;
    plan->capacities[1] = 65536;
    plan->capacity_count = 2;
    if (capacity != NULL)
        plan->capacity_count = options_counts(capacity, QUEUE_CAPACITY_MAX,
                                              plan->capacities, QUEUE_LIST_MAX);
    if (o->thread_counts > 0) {
        memcpy(plan->pairs, o->threads, sizeof(plan->pairs));
        plan->pair_count = o->thread_counts;
    }
}

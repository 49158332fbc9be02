/* SPDX-License-Identifier: MIT */
/*
 * soak_fifo.c - very many items through a fifo that never holds many: does the
 * memory stay where it is?
 *
 * Half of the threads push, half pop, and a producer waits when the fifo holds
 * as many as it may.  The first consumer looks ten times at how much memory of
 * the process is resident; after the first look it may not grow any more.
 */
#include <weft/fifo.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/sanitized.h"
#include "memory.h"
#include "scenario.h"
#include "workers.h"

#define MILLIONS   100
#define DEPTH      1000
#define LOOKS      10
#define BATCH      64 /* pushes between two looks at the depth */
#define IN_MILLION 1000000

/* Other things the process does, and what a sanitizer notes [bytes]. */
#define SLACK (SANITIZED_THREADS ? 8u << 20 : 1u << 20)

struct look {
    int64_t items;
    size_t resident;
    size_t held;
};

struct job {
    weft_fifo *fifo;
    unsigned producers;
    unsigned consumers;
    uint64_t items; /* of each producer */
    size_t depth;
    struct look looks[LOOKS];
    unsigned look_count;
    _Alignas(128) _Atomic uint64_t popped; /* in batches; orders nothing */
    _Alignas(128) _Atomic uint64_t sum;    /* of what came out, less what went
                                              in */
    _Atomic bool failed;
};

static const struct form {
    const char *name;
    enum weft_impl impl;
} forms[] = {
    {"lockfree", WEFT_LOCKFREE},
    {"lockless", WEFT_LOCKLESS},
    {"mutex", WEFT_MUTEX},
};

static bool
is_count(const char *text)
{
    unsigned out;

    return options_counts(text, 1u << 20, &out, 1) == 1;
}

static const struct extra extras[] = {
    {.name = "items",
     .argument = "N",
     .help = "items through each form, in millions; 100",
     .valid = is_count},
    {.name = "depth",
     .argument = "N",
     .help = "how many may be in it; 1000",
     .valid = is_count},
    {.name = "impl",
     .argument = "LIST",
     .help = "which: lockfree,lockless,mutex",
     .words = "lockfree,lockless,mutex"},
    {.name = NULL},
};

static size_t
resident_bytes(void)
{
    size_t all = 0;
    size_t resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%zu %zu", &all, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void
produce(struct worker *w, struct job *job)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < job->items && !worker_is_stopped(w); i++) {
        while (i % BATCH == 0 &&
               weft_fifo_size(job->fifo) + (uint64_t)BATCH * job->producers >
                   job->depth &&
               weft_fifo_size(job->fifo) > 0 && !worker_is_stopped(w))
            sched_yield();
        const uint64_t value = i * w->count + w->index;
        if (weft_fifo_push(job->fifo, (void *)(uintptr_t)value) != WEFT_OK)
            atomic_store_explicit(&job->failed, true, memory_order_relaxed);
        sum += value;
    }
    atomic_fetch_sub_explicit(&job->sum, sum, memory_order_relaxed);
}

/* Who was asleep meanwhile makes up for the looks it has missed. */
static void
look(struct job *job, uint64_t popped)
{
    const uint64_t all = job->items * job->producers;

    while (job->look_count < LOOKS &&
           popped >= all / LOOKS * (job->look_count + 1))
        job->looks[job->look_count++] = (struct look){
            (int64_t)popped, resident_bytes(), weft_fifo_size(job->fifo)};
}

static void
consume(struct worker *w, struct job *job)
{
    const uint64_t all = job->items * job->producers;
    uint64_t sum = 0;
    uint64_t mine = 0;
    void *item;

    for (;;) {
        if (weft_fifo_pop(job->fifo, &item) == WEFT_OK) {
            sum += (uintptr_t)item;
            if (++mine < BATCH)
                continue;
        }
        const uint64_t popped =
            mine +
            atomic_fetch_add_explicit(&job->popped, mine, memory_order_relaxed);
        if (w->index == job->producers)
            look(job, popped);
        if (popped >= all || worker_is_stopped(w))
            break;
        if (mine < BATCH)
            sched_yield();
        mine = 0;
    }
    atomic_fetch_add_explicit(&job->sum, sum, memory_order_relaxed);
}

static void
body(struct worker *w)
{
    struct job *job = w->shared;

    if (w->index < job->producers)
        produce(w, job);
    else
        consume(w, job);
}

static void
rows(const struct form *form, const struct job *job, double seconds,
     struct table *t)
{
    const uint64_t all = job->items * job->producers;
    const uint64_t sum = atomic_load_explicit(&job->sum, memory_order_relaxed);
    const char *fault = NULL;

    if (job->look_count < LOOKS)
        fault = "it was stopped";
    else if (sum != 0 ||
             atomic_load_explicit(&job->failed, memory_order_relaxed))
        fault = "what came out is not what went in";
    for (unsigned i = 0; i < job->look_count; i++) {
        const struct look *l = &job->looks[i];
        const bool grew = l->resident > job->looks[0].resident + SLACK;
        const bool is_last = i + 1 == job->look_count;
        table_row(t);
        table_text(t, "%s", form->name);
        table_count(t, l->items);
        table_count(t, (int64_t)l->held);
        table_count(t, (int64_t)(l->resident / 1024));
        table_real(t, (double)all / seconds * 1e-6, 1);
        const char *why = grew ? "memory grows" : is_last ? fault : NULL;
        if (why != NULL)
            table_verdict(t, VERDICT_FAILED, "%s", why);
        else
            table_verdict(t, VERDICT_OK, NULL);
    }
}

static bool
soak(const struct form *form, struct job *job, const struct options *o,
     struct report *r, struct table *t)
{
    const enum weft_status s = weft_fifo_create(&job->fifo, form->impl);

    if (s != WEFT_OK) {
        report_abandon(r, "%s: cannot create the fifo: %s", form->name,
                       weft_status_text(s));
        return false;
    }
    struct crew crew = {.threads = job->producers + job->consumers,
                        .seconds = o->duration_s,
                        .pin = o->pin,
                        .seed = o->seed,
                        .body = body,
                        .shared = job,
                        .what = form->name};
    const bool ran = crew_run(&crew, r);
    if (ran)
        rows(form, job, crew.elapsed_s, t);
    weft_fifo_destroy(job->fifo);
    return ran;
}

static unsigned
number(const struct options *o, const char *name, unsigned usual)
{
    const char *text = options_extra(o, name);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static enum outcome
run(const struct options *o, struct report *r)
{
    const uint64_t items = (uint64_t)number(o, "items", MILLIONS) * IN_MILLION;
    const unsigned threads = o->thread_counts > 0 ? o->threads[0] : 2;
    const unsigned producers = threads < 2 ? 1 : threads / 2;

    report_say(r, "Many items through a fifo of small depth; its memory may "
                  "not grow.");
    struct table *t = report_table(r, "soak", NULL);
    table_column(t, "form", NULL);
    table_column(t, "items", NULL);
    table_column(t, "held", NULL);
    table_column(t, "resident", "KiB");
    table_column(t, "rate", "M/s");
    for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
        struct job job = {.producers = producers,
                          .consumers = threads < 2 ? 1 : threads - producers,
                          .items = items / producers,
                          .depth = number(o, "depth", DEPTH)};
        if (options_include(o, "impl", forms[k].name) &&
            !soak(&forms[k], &job, o, r, t))
            return OUTCOME_FAILED;
    }
    table_end(t);
    return report_outcome(r);
}

const struct scenario soak_fifo = {
    .command = "soak",
    .name = "fifo",
    .summary = "a hundred million items through a fifo: does memory grow?",
    .run = run,
    .extras = extras,
};

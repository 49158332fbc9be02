/* SPDX-License-Identifier: MIT */
/*
 * engine.c - rounds: each runs every row of every table once, the rows of one
 * table next to each other in time, so that whatever the machine does meanwhile
 * it does to all of them.
 *
 * The time that was asked for is divided by the rounds and the rows, each row
 * with the weight of its table; what starting threads and round trips cost is
 * measured as it goes and taken off.
 */
#include <stdlib.h>
#include <unistd.h>

#include "bench/bench.h"
#include "memory.h"
#include "progress.h"
#include "random.h"

#define LEAST_CELL_S 0.001
#define NS_PER_S     1e9

void
bench_begin(struct bench_run *run, const char *what, const struct options *o,
            struct report *r, double duration_s, unsigned rounds)
{
    *run = (struct bench_run){
        .report = r,
        .what = what,
        .duration_s = o->duration_s > 0 ? o->duration_s : duration_s,
        .rounds = o->rounds > 0 ? o->rounds : rounds,
        .seed = o->seed,
        .pin = o->pin,
    };
}

struct bench_table *
bench_table(struct bench_run *run, const struct bench_table *t)
{
    run->tables = must_grow(run->tables, run->table_count, sizeof(*t));
    run->tables[run->table_count] = *t;
    return &run->tables[run->table_count++];
}

void
bench_row(struct bench_table *t, const struct bench_row *row)
{
    t->rows = must_grow(t->rows, t->row_count, sizeof(*row));
    t->rows[t->row_count++] = *row;
}

void
bench_end(struct bench_run *run)
{
    for (size_t i = 0; i < run->table_count; i++) {
        struct bench_table *t = &run->tables[i];
        for (size_t k = 0; k < t->row_count; k++)
            free(t->rows[k].samples);
        free(t->rows);
        free((void *)(uintptr_t)t->name);
        free((void *)(uintptr_t)t->title);
        free((void *)(uintptr_t)t->load);
    }
    free(run->tables);
    run->tables = NULL;
    run->table_count = 0;
}

/* Of all rows of one round, in rows of weight 1. */
static double
weight_of(const struct bench_run *run)
{
    double weight = 0;

    for (size_t i = 0; i < run->table_count; i++)
        weight += run->tables[i].weight * (double)run->tables[i].row_count;
    return weight;
}

double
bench_cell_s(const struct bench_run *run)
{
    const double weight = weight_of(run) * run->rounds;

    return weight > 0 ? run->duration_s / weight : 0;
}

static void
prepare(struct bench_run *run)
{
    for (size_t i = 0; i < run->table_count; i++) {
        struct bench_table *t = &run->tables[i];
        for (size_t k = 0; k < t->row_count; k++) {
            free(t->rows[k].samples);
            t->rows[k].samples =
                must_have(run->rounds, sizeof(struct bench_sample));
        }
    }
    run->least_trip_ns = 0;
}

static void
shuffle(size_t *order, size_t count, struct prng *random)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        const size_t k = prng_below(random, (uint32_t)i);
        const size_t last = order[i - 1];
        order[i - 1] = order[k];
        order[k] = last;
    }
}

/* Time of the run so far that went into no row [s], beside what remains. */
struct budget {
    int64_t begin_ns;
    double weight_left;
    double measured_s;
    double cells_left;
    double cells_done;
};

/* How long the next row may take, so that all ends when it should. */
static double
next_cell_s(const struct bench_run *run, const struct budget *b, double weight)
{
    const double passed_s = (double)(clock_ns() - b->begin_ns) / NS_PER_S;
    double around_s = 0;

    if (b->cells_done > 0)
        around_s = (passed_s - b->measured_s) / b->cells_done;
    const double left_s = run->duration_s - passed_s - around_s * b->cells_left;
    const double cell_s = weight * left_s / b->weight_left;
    return cell_s > LEAST_CELL_S ? cell_s : LEAST_CELL_S;
}

static bool
take_trip(struct bench_run *run, double *trip_ns)
{
    *trip_ns = bench_round_trip(run->report);
    if (*trip_ns > 0 &&
        (run->least_trip_ns <= 0 || *trip_ns < run->least_trip_ns))
        run->least_trip_ns = *trip_ns;
    return *trip_ns >= 0;
}

/* Measure the rows of one table in one round. */
static bool
measure_table(struct bench_run *run, struct bench_table *t, unsigned round,
              struct prng *random, struct budget *b)
{
    size_t *order = must_have(t->row_count, sizeof(order[0]));
    bool ok = true;
    double trip_ns = 0;

    shuffle(order, t->row_count, random);
    if (t->row_count > 0)
        ok = take_trip(run, &trip_ns);
    for (size_t i = 0; i < t->row_count && ok && !interrupt_came(); i++) {
        struct bench_row *row = &t->rows[order[i]];
        struct bench_sample *s = &row->samples[round];
        const struct bench_cell cell = {
            .seconds = next_cell_s(run, b, t->weight),
            .seed = prng_next(random),
            .pin = run->pin,
            .report = run->report,
        };
        s->trip_before_ns = trip_ns;
        ok = t->measure(t, row, &cell, s) && take_trip(run, &trip_ns);
        s->trip_after_ns = trip_ns;
        s->done = ok && !interrupt_came();
        b->measured_s += cell.seconds;
        b->weight_left -= t->weight;
        b->cells_left--;
        b->cells_done++;
        progress_step();
    }
    free(order);
    return ok;
}

bool
bench_measure(struct bench_run *run)
{
    struct prng random;
    struct budget b = {.begin_ns = clock_ns()};
    bool ok = true;

    const struct usage from = usage_now();
    prng_seed(&random, run->seed, 0);
    prepare(run);
    b.weight_left = weight_of(run) * run->rounds;
    for (size_t i = 0; i < run->table_count; i++)
        b.cells_left += (double)run->tables[i].row_count * run->rounds;
    progress_begin(run->what, run->duration_s);
    for (unsigned round = 0; round < run->rounds && ok; round++) {
        for (size_t i = 0; i < run->table_count && ok; i++)
            ok = measure_table(run, &run->tables[i], round, &random, &b);
        if (interrupt_came())
            break;
    }
    progress_end();
    const struct usage to = usage_now();
    run->share =
        usage_between(&from, &to, (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
    return ok;
}

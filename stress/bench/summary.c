/* SPDX-License-Identifier: MIT */
/*
 * summary.c - medians over rounds, never over rounds of different states.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "memory.h"

#define FAR_NS    150 /* no machine on which two CPUs are near needs as much */
#define FAR_TIMES 2   /* the shortest trip of the run */

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

double
bench_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(values[0]), by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static enum bench_state
state_of_trip(double trip_ns, double least_ns)
{
    if (trip_ns <= 0)
        return BENCH_ALONE;
    return trip_ns > FAR_NS && trip_ns > FAR_TIMES * least_ns ? BENCH_FAR
                                                              : BENCH_NEAR;
}

enum bench_state
bench_state_of(const struct bench_sample *s, double least_ns)
{
    const enum bench_state before = state_of_trip(s->trip_before_ns, least_ns);
    const enum bench_state after = state_of_trip(s->trip_after_ns, least_ns);

    return before == after ? before : BENCH_MOVED;
}

const char *
bench_state_name(enum bench_state s)
{
    switch (s) {
    case BENCH_ALONE:
        return "one CPU";
    case BENCH_NEAR:
        return "near";
    case BENCH_FAR:
        return "far";
    case BENCH_MOVED:
        return "moved";
    }
    return "?";
}

static void
count_states(const struct bench_row *row, unsigned rounds, double least_ns,
             unsigned counts[BENCH_MOVED + 1])
{
    for (unsigned i = 0; i < rounds; i++)
        if (row->samples[i].done)
            counts[bench_state_of(&row->samples[i], least_ns)]++;
}

/* The one with most samples.  In doubt near, and the moved only for want of
 * any other: those of a row may be of two states. */
static enum bench_state
most_of(const unsigned counts[BENCH_MOVED + 1])
{
    enum bench_state best = BENCH_MOVED;

    for (enum bench_state s = BENCH_ALONE; s < BENCH_MOVED; s++)
        if (counts[s] > (best == BENCH_MOVED ? 0 : counts[best]))
            best = s;
    return best;
}

enum bench_state
bench_state_of_table(const struct bench_table *t, unsigned rounds,
                     double least_ns)
{
    unsigned counts[BENCH_MOVED + 1] = {0};

    for (size_t i = 0; i < t->row_count; i++)
        count_states(&t->rows[i], rounds, least_ns, counts);
    return most_of(counts);
}

/* The median of the number at `offset` of each sample of a state. */
static double
median_of(const struct bench_row *row, unsigned rounds, enum bench_state state,
          double least_ns, size_t offset)
{
    double *values = must_have(rounds, sizeof(values[0]));
    size_t count = 0;

    for (unsigned i = 0; i < rounds; i++) {
        const struct bench_sample *s = &row->samples[i];
        if (s->done && bench_state_of(s, least_ns) == state)
            memcpy(&values[count++], (const char *)s + offset,
                   sizeof(values[0]));
    }
    const double median = bench_median(values, count);
    free(values);
    return median;
}

/* Count, extremes and faults, in one walk over the rounds. */
static void
walk(const struct bench_row *row, unsigned rounds, double least_ns,
     struct bench_summary *sum)
{
    for (unsigned i = 0; i < rounds; i++) {
        const struct bench_sample *s = &row->samples[i];
        if (!s->done)
            continue;
        sum->of++;
        if (s->fault[0] != '\0' && sum->fault == NULL)
            sum->fault = s->fault;
        if (bench_state_of(s, least_ns) != sum->state)
            continue;
        if (sum->rounds == 0 || s->value < sum->least)
            sum->least = s->value;
        if (sum->rounds == 0 || s->value > sum->most)
            sum->most = s->value;
        if (s->latency_ns[BENCH_MOST] > sum->latency_ns[BENCH_MOST])
            sum->latency_ns[BENCH_MOST] = s->latency_ns[BENCH_MOST];
        sum->rounds++;
    }
}

struct bench_summary
bench_summarize(const struct bench_row *row, unsigned rounds,
                enum bench_state state, double least_ns)
{
    unsigned counts[BENCH_MOVED + 1] = {0};

    count_states(row, rounds, least_ns, counts);
    struct bench_summary sum = {.state = counts[state] > 0 ? state
                                                           : most_of(counts)};
    walk(row, rounds, least_ns, &sum);

    const size_t latency = offsetof(struct bench_sample, latency_ns);
    sum.median = median_of(row, rounds, sum.state, least_ns,
                           offsetof(struct bench_sample, value));
    sum.turns = median_of(row, rounds, sum.state, least_ns,
                          offsetof(struct bench_sample, turns));
    sum.switches = median_of(row, rounds, sum.state, least_ns,
                             offsetof(struct bench_sample, switches));
    sum.trip_ns = median_of(row, rounds, sum.state, least_ns,
                            offsetof(struct bench_sample, trip_before_ns));
    for (size_t p = 0; p < BENCH_MOST; p++)
        sum.latency_ns[p] = median_of(row, rounds, sum.state, least_ns,
                                      latency + p * sizeof(double));
    return sum;
}

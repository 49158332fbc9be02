/* SPDX-License-Identifier: MIT */
/*
 * histogram.c - finding a value again from the counts of its buckets.
 *
 * The layout is in the header, beside the record function that is inlined into
 * measured loops.
 */
#include "report/histogram.h"

#include <stdlib.h>
#include <string.h>

struct histogram *
histogram_create(int digits, int64_t highest)
{
    unsigned half_bits = 0;
    uint64_t parts = 1;

    for (int i = 0; i < digits; i++)
        parts *= 10;
    while ((UINT64_C(1) << half_bits) < parts)
        half_bits++;

    const struct histogram shape = {.half_bits = half_bits};
    const size_t size = histogram_index(&shape, highest) + 1;
    struct histogram *h = malloc(sizeof(*h) + size * sizeof(h->counts[0]));
    if (h == NULL)
        return NULL;
    h->half_bits = half_bits;
    h->highest = highest;
    h->size = size;
    histogram_reset(h);
    return h;
}

void
histogram_destroy(struct histogram *h)
{
    free(h);
}

void
histogram_reset(struct histogram *h)
{
    h->count = 0;
    h->least = INT64_MAX;
    h->most = 0;
    h->sum = 0;
    memset(h->counts, 0, h->size * sizeof(h->counts[0]));
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
    for (size_t i = 0; i < from->size; i++)
        to->counts[i] += from->counts[i];
    to->count += from->count;
    to->sum += from->sum;
    if (from->least < to->least)
        to->least = from->least;
    if (from->most > to->most)
        to->most = from->most;
}

/* The largest value of bucket `index`. */
static int64_t
last_value(const struct histogram *h, size_t index)
{
    const size_t half = (size_t)1 << h->half_bits;

    if (index < 2 * half)
        return (int64_t)index;
    const size_t shift = (index >> h->half_bits) - 1;
    const uint64_t first = (uint64_t)(index - (shift << h->half_bits)) << shift;
    return (int64_t)(first + (UINT64_C(1) << shift) - 1);
}

int64_t
histogram_percentile(const struct histogram *h, double percent)
{
    if (h->count == 0)
        return 0;
    if (percent <= 0)
        return h->least;

    /* The rank of the record that is asked for, from 1; 99.9 % of 1000 is
     * 999.0000000000001 in binary and must not become 1000. */
    const double exact = percent / 100 * (double)h->count;
    uint64_t rank = (uint64_t)(exact * (1 - 1e-12));
    if ((double)rank < exact * (1 - 1e-12))
        rank++;
    if (rank > h->count)
        rank = h->count;

    uint64_t seen = 0;
    for (size_t i = 0; i < h->size; i++) {
        seen += h->counts[i];
        if (seen >= rank) {
            const int64_t value = last_value(h, i);
            return value < h->most ? value : h->most;
        }
    }
    return h->most;
}

double
histogram_mean(const struct histogram *h)
{
    return h->count == 0 ? 0 : h->sum / (double)h->count;
}

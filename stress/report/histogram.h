/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how often each value came, within a fixed relative error.
 *
 *   shape      one array of counts, fixed for life: 36 KB with 2 digits up to
 *              ten minutes in nanoseconds, 250 KB with 3
 *   source     the log-linear buckets of HdrHistogram, Gil Tene, 2012
 *
 *       struct histogram *h = histogram_create(2, HISTOGRAM_MINUTES);
 *       histogram_record(h, ns);              // one thread per histogram
 *       histogram_merge(all, h);              // afterwards, in one thread
 *       histogram_percentile(all, 99.9);
 */
#ifndef STRESS_HISTOGRAM_H
#define STRESS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_MINUTES INT64_C(600000000000) /* ten of them [ns] */

struct histogram {
    unsigned half_bits; /* log2 of half the sub-buckets */
    int64_t highest;    /* larger values count as this one */
    size_t size;
    uint64_t count;
    int64_t least; /* exact, like most and sum */
    int64_t most;
    double sum;
    uint64_t counts[];
};

/*
 * Create an empty histogram of 0 to `highest`, or NULL if memory runs out.
 *
 *   digits     1 to 4: values differ from what was recorded by less than one
 *              part in 10^digits
 */
struct histogram *histogram_create(int digits, int64_t highest);
void histogram_destroy(struct histogram *h);
void histogram_reset(struct histogram *h);

/* Add what `from` has, which has the same shape. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/*
 * Return the value that `percent` of all records do not exceed.
 *
 *   returns    the largest value that its bucket stands for, but never more
 *              than the largest recorded; the least one for 0; 0 if empty
 */
int64_t histogram_percentile(const struct histogram *h, double percent);

double histogram_mean(const struct histogram *h);

/*
 * The bucket of `value`.  The first 2^(half_bits + 1) values have a bucket
 * each; from there on each power of two has 2^half_bits buckets of its own,
 * so that a bucket is never wider than its values divided by 2^half_bits.
 */
static inline size_t
histogram_index(const struct histogram *h, int64_t value)
{
    const uint64_t v = (uint64_t)value;
    const unsigned top = 63 - (unsigned)__builtin_clzll(v | 1);

    if (top <= h->half_bits)
        return (size_t)v;
    const unsigned shift = top - h->half_bits;
    return ((size_t)shift << h->half_bits) + (size_t)(v >> shift);
}

/* Count `value` `times` over; below 0 it counts as 0. */
static inline void
histogram_record_n(struct histogram *h, int64_t value, uint64_t times)
{
    if (value < 0)
        value = 0;
    if (value > h->highest)
        value = h->highest;
    h->counts[histogram_index(h, value)] += times;
    h->count += times;
    h->sum += (double)value * (double)times;
    if (value < h->least)
        h->least = value;
    if (value > h->most)
        h->most = value;
}

static inline void
histogram_record(struct histogram *h, int64_t value)
{
    histogram_record_n(h, value, 1);
}

#endif /* STRESS_HISTOGRAM_H */

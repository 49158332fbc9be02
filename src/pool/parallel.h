/* SPDX-License-Identifier: MIT */
/*
 * pool/parallel.h - ranges that are split as thieves want them.
 */
#ifndef WEFT_POOL_PARALLEL_H
#define WEFT_POOL_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/pool.h>

#include "pool/pool_impl.h"

/* About how long a part takes whose size the library chooses [ns]. */
#define WEFT_PART_NS 10000

/* Before a part that may take so long, what is forked is published [ns]. */
#define WEFT_PART_LONG_NS 1000

/* How large the parts are, in one thread. */
struct weft_pace_ {
    size_t grain;
    bool fixed;
    bool slow; /* the last one took long, or there was none */
};

/* `grain` as the user gave it. */
struct weft_pace_ weft_pace_begin_(const weft_pool *p, size_t grain);

/* A part that runs, in strand `s`. */
struct weft_part_ {
    struct weft_frame frame;
    int64_t start;
};

void weft_part_begin_(struct weft_part_ *part, weft_strand s,
                      const struct weft_pace_ *pace);

/* It is over; it was one of `n` numbers. */
void weft_part_end_(struct weft_part_ *part, size_t n, struct weft_pace_ *pace);

/* What is done with a part. */
struct weft_loop_ {
    void (*run)(struct weft_loop_ *l, size_t begin, size_t end);
};

/* Run all of the range; what weft_pool_run says. */
WEFT_MUST_USE enum weft_status weft_loop_run_(weft_pool *p,
                                              struct weft_loop_ *l,
                                              size_t begin, size_t end,
                                              size_t grain);

#endif /* WEFT_POOL_PARALLEL_H */

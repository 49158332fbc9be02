/* SPDX-License-Identifier: MIT */
/*
 * parallel/parallel.h - ranges that are split as thieves want them.
 */
#ifndef WEFT_PARALLEL_PARALLEL_H
#define WEFT_PARALLEL_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/pool.h>

#include "pool/pool_impl.h"

/* One of so many parts is timed that are short and of a fixed size. */
#define WEFT_PARTS_UNSEEN 16

/* About how long a part takes whose size the library chooses [ns]. */
#define WEFT_PART_NS 10000

/* A loop of fewer numbers a worker may be of dear ones: no probe. */
#define WEFT_PROBE_LEAST 32

/* Before a part that may take so long, what is forked is published [ns]. */
#define WEFT_PART_LONG_NS 1000

/* How large the parts are, in one thread. */
struct weft_pace_ {
    size_t grain;
    bool fixed;
    bool slow;       /* the last one took long, or there was none */
    unsigned unseen; /* so many parts of a fixed size are not timed */
    int64_t now;     /* when the last one ended; 0: that is over */
};

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

/*
 * Begin with the range in the calling thread, where that may save the others
 * the trouble, and find the pace for what is left; `grain` is the user's.
 *
 *   returns    where what is left begins; `begin`: nothing was called
 */
size_t weft_loop_probe_(weft_pool *p, struct weft_loop_ *l, size_t begin,
                        size_t end, size_t grain, struct weft_pace_ *pace);

/* Run all of the range; what weft_pool_run says. */
WEFT_MUST_USE enum weft_status weft_loop_run_(weft_pool *p,
                                              struct weft_loop_ *l,
                                              size_t begin, size_t end,
                                              size_t grain);

#endif /* WEFT_PARALLEL_PARALLEL_H */

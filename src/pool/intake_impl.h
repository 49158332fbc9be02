/* SPDX-License-Identifier: MIT */
/*
 * pool/intake_impl.h - the inside of an intake: segments in a list, their lives,
 * and positions.  intake.c has the argument.
 *
 *     63                         12               0
 *     +--------------------------+----------------+
 *     |           life           |     index      |   0 to CELLS
 *     +--------------------------+----------------+
 */
#ifndef WEFT_POOL_INTAKE_IMPL_H
#define WEFT_POOL_INTAKE_IMPL_H

#include "base/reclaim.h"
#include "pool/intake.h"

#define WEFT_INTAKE_INDEX_BITS 12
#define WEFT_INTAKE_CELLS      4092                /* with the header, 64 KiB */
#define WEFT_INTAKE_ENDED      (UINT64_C(1) << 63) /* in a life of `next` */

/* In the place of a function: no job yet, and never one. */
enum { WEFT_INTAKE_FREE, WEFT_INTAKE_CLOSED };

struct weft_intake_segment {
    alignas(WEFT_CACHE_LINE) struct weft_pair next; /* {younger, own life} */
    struct weft_retired retired;
    alignas(WEFT_CACHE_LINE) struct weft_pair cells[WEFT_INTAKE_CELLS];
};

_Static_assert(sizeof(struct weft_intake_segment) == 65536 &&
                   WEFT_INTAKE_CELLS < 1 << WEFT_INTAKE_INDEX_BITS,
               "the index of a segment that is done fits");

/* How many of them are used; tests use few. */
extern uint64_t weft_intake_cells_;

/* Where a call stands: the segment `s` in its life `life`. */
struct weft_intake_place {
    struct weft_intake_segment *s;
    uint64_t life;
    uint64_t index;
};

static inline uint64_t
weft_intake_position_(uint64_t life, uint64_t index)
{
    return life << WEFT_INTAKE_INDEX_BITS | index;
}

static inline uint64_t
weft_intake_life_(uint64_t position)
{
    return position >> WEFT_INTAKE_INDEX_BITS;
}

static inline uint64_t
weft_intake_index_(uint64_t position)
{
    return position & ((UINT64_C(1) << WEFT_INTAKE_INDEX_BITS) - 1);
}

/* --- intake_segment.c: between weft_reclaim_enter_ and _leave_ -------------- */

/* Segment and life of an end, as they were together, with index 0. */
struct weft_intake_place weft_intake_look_(const struct weft_intake_end *e);

/* Go on from `at`, which is full.  WEFT_OK: look again; WEFT_CLOSED,
 * WEFT_NO_MEMORY. */
WEFT_MUST_USE enum weft_status
weft_intake_tail_on_(struct weft_intake *q, const struct weft_intake_place *at);

/* Let nothing be appended to `at`, which is full; false: look again. */
WEFT_MUST_USE bool weft_intake_end_list_(struct weft_intake *q,
                                         const struct weft_intake_place *at);

/* What a take finds. */
enum weft_intake_found {
    WEFT_INTAKE_NOTHING,
    WEFT_INTAKE_NEVER, /* and nothing will come */
    WEFT_INTAKE_JOB
};

/* The position of the head is `p`, behind the last cell: go on to the next
 * segment.  WEFT_INTAKE_JOB: look again. */
WEFT_MUST_USE enum weft_intake_found weft_intake_head_on_(struct weft_intake *q,
                                                          uint64_t p);

#endif /* WEFT_POOL_INTAKE_IMPL_H */

/* SPDX-License-Identifier: MIT */
/*
 * container/segments.h - what the fifo and the intake of a pool stand on:
 * segments of cells in a list, their lives, and positions.
 *
 *      head                                  tail
 *       |                                     |
 *     +---------+      +---------+      +---------+
 *     | life 7  |----->| life 8  |----->| life 9  |      spare: [s] [s] [ ]
 *     +---------+      +---------+      +---------+
 *      oldest                            youngest
 *
 * A segment that has drained is put at the other end again at once, while
 * threads that were stopped may still look at it.  What keeps them from taking
 * it for what it was: each place in the list has a number, its life, which is
 * never used again, and
 *
 *   - `segment` of each end is a pair {segment, life}, replaced as a whole;
 *   - `next` is a pair {next, own life}, replaced as a whole;
 *   - what a cell holds tells the life of it; how is the user's.
 *
 * A segment's memory goes back to the system only through base/reclaim.h, so
 * whoever is inside a call may read any segment that he has seen.
 *
 * A position is {life, index} in one word.  The index of a segment that is done
 * is the number of its cells, still of its own life: so a position never names
 * a life that `segment` of its end has not come to.
 *
 *     63                         12               0
 *     +--------------------------+----------------+
 *     |           life           |     index      |   0 to WEFT_SEGMENT_CELLS
 *     +--------------------------+----------------+
 */
#ifndef WEFT_CONTAINER_SEGMENTS_H
#define WEFT_CONTAINER_SEGMENTS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/status.h>

#include "base/cacheline.h"
#include "base/pair.h"
#include "base/reclaim.h"

#define WEFT_SEGMENTS_INDEX_BITS 12
#define WEFT_SEGMENT_CELLS       4092 /* with the header, 64 KiB */
#define WEFT_SEGMENTS_SPARES     4
#define WEFT_SEGMENTS_CLOSED     (UINT64_C(1) << 63) /* in a life of `next` */

struct weft_segment {
    alignas(WEFT_CACHE_LINE) struct weft_pair next; /* {younger, own life} */
    struct weft_retired retired;
    alignas(WEFT_CACHE_LINE) struct weft_pair cells[WEFT_SEGMENT_CELLS];
};

_Static_assert(sizeof(struct weft_segment) == 65536 &&
                   WEFT_SEGMENT_CELLS < 1 << WEFT_SEGMENTS_INDEX_BITS,
               "the index of a segment that is done fits");

/* One end of the list. */
struct weft_segments_end {
    alignas(WEFT_CACHE_PAIR) struct weft_pair segment; /* {segment, life} */
    _Atomic uint64_t position; /* a counter or a hint: the user knows */
};

struct weft_segments {
    struct weft_segments_end tail;
    struct weft_segments_end head;
    alignas(WEFT_CACHE_PAIR) _Atomic(struct weft_segment *)
        spares[WEFT_SEGMENTS_SPARES];
};

/* Where a call stands: the segment `s` in its life `life`. */
struct weft_segments_place {
    struct weft_segment *s;
    uint64_t life;
    uint64_t index;
};

static inline uint64_t
weft_segments_position_(uint64_t life, uint64_t index)
{
    return life << WEFT_SEGMENTS_INDEX_BITS | index;
}

static inline uint64_t
weft_segments_life_(uint64_t position)
{
    return position >> WEFT_SEGMENTS_INDEX_BITS;
}

static inline uint64_t
weft_segments_index_(uint64_t position)
{
    return position & ((UINT64_C(1) << WEFT_SEGMENTS_INDEX_BITS) - 1);
}

/* Begin with one segment, in its first life, at least 1: fresh cells are zero
 * bytes.  False: no memory. */
WEFT_MUST_USE bool weft_segments_init_(struct weft_segments *l,
                                       uint64_t first_life);

/* Nobody else uses it; zero bytes are fine. */
void weft_segments_fini_(struct weft_segments *l);

/* --- between weft_reclaim_enter_ and _leave_ -------------------------------- */

/* Segment and life of an end, as they were together at one moment; index 0. */
struct weft_segments_place
weft_segments_look_(const struct weft_segments_end *end);

/*
 * Go on from `at`, which is full, to the next segment at the tail, and append
 * one if there is none.
 *
 *   clean      called for a segment that serves again, before it is shared;
 *              NULL: nothing to do
 *   returns    WEFT_OK, look again; WEFT_CLOSED; WEFT_NO_MEMORY
 */
WEFT_MUST_USE enum weft_status
weft_segments_tail_on_(struct weft_segments *l,
                       const struct weft_segments_place *at,
                       void (*clean)(struct weft_segment *s, uint64_t life));

/* Let nothing be appended to `at`, which is full, any more; false: it is not
 * the last, look again.  And whether that has been done. */
WEFT_MUST_USE bool
weft_segments_end_list_(struct weft_segments *l,
                        const struct weft_segments_place *at);
bool weft_segments_is_end_(const struct weft_segments_place *at);

/*
 * Go on from `at`, which has drained, to the next segment at the head.
 *
 *   returns    WEFT_OK, look again; WEFT_EMPTY, there is none; WEFT_CLOSED, and
 *              none will come
 */
WEFT_MUST_USE enum weft_status
weft_segments_head_on_(struct weft_segments *l,
                       const struct weft_segments_place *at);

#endif /* WEFT_CONTAINER_SEGMENTS_H */

/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_close.c - the end of a fifo, for the blocking queue.
 *
 * LOCKLESS.  The mark in the counter of the tail makes the claims of all pushes
 * fail that have not claimed yet.  Those that have are between the counter of
 * the head and the position beside the mark, so a pop that finds the fifo empty
 * knows whether something is on its way.  Counts are compared, not positions:
 * the head may have gone on to a segment in which the tail never was.
 *
 * LOCKFREE.  See fifo_lockfree.c.
 *
 * Ordering.
 *
 *     end    weft_fifo_close_  ->  who sees the mark sees what was before it
 */
#include "container/fifo_impl.h"

void
weft_fifo_close_(weft_fifo *f)
{
    if (f->impl == WEFT_LOCKFREE)
        weft_fifo_close_lockfree_(f);
    else
        /* release: end */
        atomic_fetch_or_explicit(&f->list.tail.position, WEFT_SEGMENTS_CLOSED,
                                 memory_order_release);
}

static uint64_t
tail_of(const weft_fifo *f)
{
    /* acquire: end */
    return atomic_load_explicit(&f->list.tail.position, memory_order_acquire);
}

bool
weft_fifo_is_closed_(weft_fifo *f)
{
    return f->impl == WEFT_LOCKFREE ? weft_fifo_is_closed_lockfree_(f)
                                    : (tail_of(f) & WEFT_SEGMENTS_CLOSED) != 0;
}

bool
weft_fifo_is_drained_(weft_fifo *f)
{
    if (f->impl == WEFT_LOCKFREE)
        return weft_fifo_is_drained_lockfree_(f);
    const uint64_t tail = tail_of(f);
    return (tail & WEFT_SEGMENTS_CLOSED) != 0 &&
           weft_fifo_count_(f, tail & ~WEFT_SEGMENTS_CLOSED) ==
               weft_fifo_popped_lockless_(f);
}

bool
weft_fifo_is_ready_(weft_fifo *f)
{
    return f->impl == WEFT_LOCKFREE ? weft_fifo_is_ready_lockfree_(f)
                                    : weft_fifo_is_ready_lockless_(f);
}

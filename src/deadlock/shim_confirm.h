/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim_confirm.h - to make what was predicted happen: places of one run
 * are written to a file, and in another run threads are held up there.
 *
 *   idea       a thread that holds a lock taken at one place of a prediction,
 *              and is about to wait at the next, is held up for a while for the
 *              others to come to theirs.  When all are there, and each wants
 *              what the next one holds, they go on together: into each other
 *   shape      a file has a prediction, one line for each of its threads:
 *              "MODULE OFFSET ... > MODULE OFFSET ...", the calls of where it
 *              took what the one before it wants, if that is a lock, then of
 *              where it would wait.  The last line
 *              is "confirmed" when they hang
 */
#ifndef WEFT_DEADLOCK_SHIM_CONFIRM_H
#define WEFT_DEADLOCK_SHIM_CONFIRM_H

#include "deadlock/report.h"
#include "deadlock/shim.h"

/* Write the places of a prediction whose names have been looked up, if the
 * command line asks for it. */
void weft_shim_plan_(const struct weft_dl_report *r);

/* Read such a file, if this run is to confirm it, before the program runs. */
void weft_shim_read_plan_(void);

/* Threads of the picture hang: if that was planned, write that. */
void weft_shim_confirm_(const struct weft_shim_picture *p);

/* Whether threads are to be held up. */
extern bool weft_shim_confirming_;

/* Hold the calling thread up, which is about to wait for `object`, if it is at
 * one of the places.  No point of cancellation; keeps errno. */
void weft_shim_hold_up_(struct weft_shim_thread *t, const void *object,
                        const struct weft_shim_frame *here);

static inline void
weft_shim_may_hold_up_(struct weft_shim_thread *t, const void *object,
                       const struct weft_shim_frame *here)
{
    if (__builtin_expect(weft_shim_confirming_, false))
        weft_shim_hold_up_(t, object, here);
}

#endif /* WEFT_DEADLOCK_SHIM_CONFIRM_H */

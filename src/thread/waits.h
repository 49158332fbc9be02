/* SPDX-License-Identifier: MIT */
/*
 * thread/waits.h - who waits for whom among the threads that are known here, as
 * a picture for deadlock/find.h.
 *
 *   shape      one mapping for each picture, which grows and is used again:
 *              nothing here calls malloc
 *   requires   of all functions: one thread at a time
 *
 *       weft_waits_look_(&w);
 *       n = weft_dl_find_(&w.picture, found, ROOM);
 *       weft_waits_fill_(&w);            names and what is held, for a report
 */
#ifndef WEFT_THREAD_WAITS_H
#define WEFT_THREAD_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/self.h"
#include "deadlock/find.h"

/* What the system knows of a thread. */
struct weft_waits_task {
    int64_t native_id;
    uint64_t switches; /* how often it left a CPU; 0: it does not sleep */
};

/* Zero bytes at first. */
struct weft_waits {
    struct weft_dl_picture picture;
    struct weft_waits_task *tasks; /* one for each thread */
    uint32_t *needs;
    uint32_t needs_count;
    uint32_t needs_room;
    uint32_t room; /* threads */
    size_t bytes;
    void *memory;
};

/*
 * Look at all threads.  Names and what is held are not there yet.
 *
 *   returns    false if there is no memory
 */
bool weft_waits_look_(struct weft_waits *w);

/*
 * Ask the system about the threads that are stuck, but the caller, which
 * sleeps where `*word` is to be `expected`.
 *
 *   returns    whether each sleeps, and no thread is a stranger, and no handler
 *              of a signal could wake one
 */
bool weft_waits_are_asleep_(struct weft_waits *w, const void *word,
                            uint32_t expected);

/* Whether the stuck threads of both pictures slept from one to the other. */
bool weft_waits_slept_on_(const struct weft_waits *a,
                          const struct weft_waits *b);

/*
 * Store the names of the threads and what they hold, as far as they are still
 * there, in memory that the next call uses again.
 */
void weft_waits_fill_(struct weft_waits *w);

/* Copy what a thread holds, at most `room`; return how many. */
uint32_t weft_waits_copy_held_(struct weft_dl_held *out, uint32_t room,
                               const struct weft_self *s);

/*
 * Tell the thread to end its wait, with WEFT_DEADLOCK.
 *
 *   t          of the picture
 *   returns    false if it is no longer in that wait
 */
bool weft_waits_end_(const struct weft_dl_thread *t);

#endif /* WEFT_THREAD_WAITS_H */

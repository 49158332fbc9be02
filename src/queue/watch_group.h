/* SPDX-License-Identifier: MIT */
/*
 * queue/watch_group.h - where threads sleep that wait for several bells at once.
 *
 * There is a fixed number of groups, and a thread always waits in the same one.
 * It marks each of its bells with the group and then looks; who rings such a
 * bell takes the marks off and wakes the groups as a whole.  So a mark may stay
 * behind, and a thread may wake for another of its group: it looks, marks and
 * sleeps again.  Nothing is allocated and nothing has to be undone, whichever
 * way the thread leaves.
 */
#ifndef WEFT_QUEUE_WATCH_GROUP_H
#define WEFT_QUEUE_WATCH_GROUP_H

#include <stdint.h>

#include <weft/deadline.h>
#include <weft/status.h>

struct weft_bell;

/* What the calling thread takes before it marks the first bell. */
struct weft_watch {
    unsigned group;
    uint32_t ticket;
};

struct weft_watch weft_watch_begin_(void);

/* Mark `b`.  Look at it after weft_watch_marked_. */
void weft_watch_mark_(struct weft_watch w, struct weft_bell *b);
void weft_watch_marked_(void);

/* Sleep until a marked bell has been rung; WEFT_OK may come for no reason.  A
 * cancellation point. */
WEFT_MUST_USE enum weft_status weft_watch_sleep_(struct weft_watch w,
                                                 weft_deadline deadline);

/* Wake the groups of `set`, one bit each. */
void weft_watch_groups_wake_(uint64_t set);

#endif /* WEFT_QUEUE_WATCH_GROUP_H */

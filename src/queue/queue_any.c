/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_any.c - waiting on several queues.
 *
 * A thread marks the bell of each of the queues with its group
 * (queue/watch_group.h), looks at all of them, and sleeps until its group is
 * woken; who puts or closes rings the bell, which wakes the groups that marked
 * it.
 *
 * All who wait so are woken, not one: a thread that wakes may answer with
 * another queue, and nobody would come for the item of this one.  So a wait is
 * for the state of a queue, as poll's, not for an item.
 *
 * Why no wake-up is lost.  The marks come before the look.  A put that the look
 * does not see sees the mark (`look` of queue_impl.h says how each form keeps
 * that), takes it off and wakes the group; and the ticket of this thread is
 * older than its marks.
 *
 * Ordering.  That of watch_group.c.
 */
#include "queue/queue_impl.h"

#include <pthread.h>

#include "base/deadline.h"
#include "base/park.h"
#include "deadlock/watch.h"
#include "queue/watch_group.h"

/* Find the queue that weft_queue_wait_any promises; false: there is none. */
static bool
find(weft_queue *const *queues, size_t n, size_t *index)
{
    size_t closed = n;

    for (size_t i = 0; i < n; i++) {
        const enum weft_queue_look look = queues[i] != NULL
                                              ? queues[i]->form->look(queues[i])
                                              : WEFT_QUEUE_EMPTY;
        if (look == WEFT_QUEUE_ITEMS) {
            *index = i;
            return true;
        }
        if (look == WEFT_QUEUE_CLOSED && closed == n)
            closed = i;
    }
    if (closed == n)
        return false;
    *index = closed;
    return true;
}

static void
unblock(void *unused)
{
    (void)unused;
    weft_watch_unblock_();
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
sleep_watching(weft_queue *const *queues, size_t n, weft_deadline deadline,
               size_t *index)
{
    enum weft_status s = WEFT_OK;

    for (;;) {
        const struct weft_watch w = weft_watch_begin_();
        for (size_t i = 0; i < n; i++)
            if (queues[i] != NULL)
                weft_watch_mark_(w, queues[i]->bell);
        weft_watch_marked_();
        if (find(queues, n, index))
            return WEFT_OK;
        if (s == WEFT_TIMEOUT)
            return s;
        s = weft_watch_sleep_(w, deadline);
    }
}

/* Sleep until a queue is found or the deadline has passed. */
static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
sleep_until(weft_queue *const *queues, size_t n, weft_deadline deadline,
            size_t *index)
{
    enum weft_status s;

    pthread_cleanup_push(unblock, NULL);
    s = sleep_watching(queues, n, deadline, index);
    pthread_cleanup_pop(1);
    return s;
}

/* A queue that a report of who waits for what can name; NULL: there is none. */
static weft_queue *
first_of(weft_queue *const *queues, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (queues[i] != NULL)
            return queues[i];
    return NULL;
}

enum weft_status
weft_queue_wait_any(weft_queue *const *queues, size_t n, weft_deadline deadline,
                    size_t *index)
{
    const weft_queue *const first = first_of(queues, n);

    if (first == NULL)
        return WEFT_INVALID;
    if (find(queues, n, index))
        return WEFT_OK;
    if (deadline <= weft_clock_ns_())
        return WEFT_TIMEOUT;
    WEFT_WATCH_CALL_();
    const enum weft_status s =
        weft_watch_block_(first, WEFT_KIND_QUEUE, deadline);
    return s == WEFT_OK ? sleep_until(queues, n, deadline, index) : s;
}

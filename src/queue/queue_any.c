/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_any.c - waiting on several queues.
 *
 * A thread puts a watch on each of the queues, looks at all of them and sleeps
 * on a word of its own.  Who puts or closes asks whether its queue has watches,
 * and if so sets the words of their threads.
 *
 * Every watch is told, not one: a thread that wakes may answer with another
 * queue, and nobody would come for the item of this one.  So a wait is for the
 * state of a queue, as poll's, not for an item.
 *
 * Why no wake-up is lost.  The watches come before the look.  A put that the
 * look does not see sees the watch (`look` of queue_impl.h says how each form
 * keeps that), and sets the word.  The word is put back to 0 before the queues
 * are looked at again, so a later put is either seen or sets it again.
 *
 * A watch lies in the waiting thread's frame.  The list's lock is held while
 * its words are set, so a thread that has taken its watch off is not touched.
 *
 * Ordering.
 *
 *     tell        who put an item sets the word  ->  the thread that waits puts
 *                 it back to 0, and then sees the item
 */
#include "queue/queue_impl.h"

#include <stdlib.h>

#include "base/deadline.h"
#include "base/park.h"
#include "deadlock/watch.h"

void
weft_queue_watch_(weft_queue *q, struct weft_queue_watch *w)
{
    pthread_mutex_lock(&q->watch_lock);
    w->previous = NULL;
    w->next = q->first_watch;
    if (w->next != NULL)
        w->next->previous = w;
    q->first_watch = w;
    atomic_fetch_add_explicit(&q->watches, 1, memory_order_relaxed);
    pthread_mutex_unlock(&q->watch_lock);
}

void
weft_queue_unwatch_(weft_queue *q, struct weft_queue_watch *w)
{
    pthread_mutex_lock(&q->watch_lock);
    if (w->previous != NULL)
        w->previous->next = w->next;
    else
        q->first_watch = w->next;
    if (w->next != NULL)
        w->next->previous = w->previous;
    atomic_fetch_sub_explicit(&q->watches, 1, memory_order_relaxed);
    pthread_mutex_unlock(&q->watch_lock);
}

void
weft_queue_tell_watchers_(weft_queue *q)
{
    pthread_mutex_lock(&q->watch_lock);
    for (struct weft_queue_watch *w = q->first_watch; w != NULL; w = w->next) {
        /* release: tell */
        const uint32_t was =
            atomic_exchange_explicit(&w->any->word, 1, memory_order_release);
        if (was == 0)
            weft_park_wake_(&w->any->word, 1);
    }
    pthread_mutex_unlock(&q->watch_lock);
}

/* What a thread waits for, and with what. */
struct wait {
    weft_queue *const *queues;
    size_t n;
    struct weft_queue_watch *watches; /* `n` of them */
    struct weft_queue_any any;
};

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
watch_all(struct wait *wait)
{
    for (size_t i = 0; i < wait->n; i++) {
        wait->watches[i].any = &wait->any;
        if (wait->queues[i] != NULL)
            weft_queue_watch_(wait->queues[i], &wait->watches[i]);
    }
}

/* Also what a cancelled thread does. */
static void
unwatch_all(void *arg)
{
    struct wait *wait = arg;

    for (size_t i = 0; i < wait->n; i++)
        if (wait->queues[i] != NULL)
            weft_queue_unwatch_(wait->queues[i], &wait->watches[i]);
    if (wait->n > WEFT_QUEUE_ANY_FREE)
        free(wait->watches);
    weft_watch_unblock_();
}

/* Sleep until a queue is found or the deadline has passed. */
static enum weft_status
sleep_until(struct wait *wait, weft_deadline deadline, size_t *index)
{
    enum weft_status s = WEFT_OK;

    while (!find(wait->queues, wait->n, index)) {
        if (s == WEFT_TIMEOUT)
            return s;
        s = weft_park_wait_cancel_(&wait->any.word, 0, deadline);
        /* acquire: tell */
        atomic_exchange_explicit(&wait->any.word, 0, memory_order_acquire);
    }
    return WEFT_OK;
}

static enum weft_status
wait_watching(struct wait *wait, weft_deadline deadline, size_t *index)
{
    enum weft_status s;

    watch_all(wait);
    pthread_cleanup_push(unwatch_all, wait);
    s = sleep_until(wait, deadline, index);
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
    struct weft_queue_watch watches[WEFT_QUEUE_ANY_FREE];
    struct wait wait = {.queues = queues, .n = n, .watches = watches};
    const weft_queue *const first = first_of(queues, n);

    if (first == NULL)
        return WEFT_INVALID;
    if (find(queues, n, index))
        return WEFT_OK;
    if (deadline <= weft_clock_ns_())
        return WEFT_TIMEOUT;
    if (n > WEFT_QUEUE_ANY_FREE)
        wait.watches = calloc(n, sizeof(*wait.watches));
    if (wait.watches == NULL)
        return WEFT_NO_MEMORY;
    const enum weft_status s =
        weft_watch_block_(first, WEFT_KIND_QUEUE, deadline);
    if (s == WEFT_OK)
        return wait_watching(&wait, deadline, index);
    if (n > WEFT_QUEUE_ANY_FREE)
        free(wait.watches);
    return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_items.h - items in one of the three orders, for one thread at a
 * time: what the form with a lock keeps under it.
 */
#ifndef WEFT_QUEUE_QUEUE_ITEMS_H
#define WEFT_QUEUE_QUEUE_ITEMS_H

#include <weft/queue.h>

struct weft_queue_entry;

struct weft_queue_items {
    const weft_queue_options *options;
    size_t count; /* items */
    size_t size;  /* cells there are */
    size_t first; /* FIFO: the cell of the oldest item; LIFO: 0 */
    void **cells; /* FIFO, LIFO; going round */
    struct weft_queue_entry *heap; /* PRIORITY */
    uint64_t arrivals; /* so many were pushed: 584 years at 10^9 a second */
};

/* Have none; with a capacity, all the memory is taken here; false: there is
 * not enough. */
bool weft_queue_items_init_(struct weft_queue_items *s,
                            const weft_queue_options *options);

/* Free the memory, not the items. */
void weft_queue_items_free_(struct weft_queue_items *s);

/* Add one; false: there is no memory (never with a capacity).  Room is the
 * caller's care. */
bool weft_queue_items_push_(struct weft_queue_items *s, void *item);

/* Take the one whose turn it is; there is one. */
void *weft_queue_items_pop_(struct weft_queue_items *s);

#endif /* WEFT_QUEUE_QUEUE_ITEMS_H */

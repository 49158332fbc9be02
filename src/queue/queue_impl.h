/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_impl.h - what the forms of the queue share: the head of the
 * struct, and the table of what a form has to do.
 *
 * There are three orders times three implementations, with a capacity and
 * without, and some of them are one piece of code: hence a table of functions
 * for each piece, picked at creation.  A form's own struct begins with a
 * weft_queue.
 *
 * The checks that are the same for all (NULL, 0, ranges) are made in queue.c;
 * a form gets sane arguments.
 */
#ifndef WEFT_QUEUE_QUEUE_IMPL_H
#define WEFT_QUEUE_QUEUE_IMPL_H

#include <weft/queue.h>

#include "queue/bell.h"

/* What a look at a queue finds. */
enum weft_queue_look {
    WEFT_QUEUE_EMPTY,  /* and open */
    WEFT_QUEUE_CLOSED, /* and empty */
    WEFT_QUEUE_ITEMS   /* something to get */
};

/* One form; the calls of queue.h without the prefix, and: */
struct weft_queue_form {
    enum weft_status (*create)(weft_queue **out,
                               const weft_queue_options *options);
    enum weft_status (*put)(weft_queue *q, void *item, weft_deadline deadline);
    enum weft_status (*get)(weft_queue *q, void **item, weft_deadline deadline);
    enum weft_status (*put_n)(weft_queue *q, void *const *items, size_t n,
                              weft_deadline deadline, size_t *done);
    enum weft_status (*get_n)(weft_queue *q, void **items, size_t n,
                              weft_deadline deadline, size_t *done);
    enum weft_status (*task_done)(weft_queue *q);
    enum weft_status (*join)(weft_queue *q, weft_deadline deadline);
    void (*close)(weft_queue *q, enum weft_close how);

    /*
     * Look what a get would find.
     *
     *   ordering   a put or a close that this look does not see will see every
     *              mark that was made on the bell before the look and the fence
     *              of weft_watch_marked_
     */
    enum weft_queue_look (*look)(weft_queue *q);
    size_t (*size)(const weft_queue *q);
    size_t (*unfinished)(const weft_queue *q);
    bool (*is_closed)(const weft_queue *q);
    void (*destroy)(weft_queue *q);
};

extern const struct weft_queue_form weft_queue_mutex_;

struct weft_queue {
    const struct weft_queue_form *form; /* constant, as are the others */
    struct weft_bell *bell; /* rung where there is something to get */
    weft_queue_options options;
};

/* Set up the part that all forms share, and the bell. */
void weft_queue_begin_(weft_queue *q, const struct weft_queue_form *form,
                       struct weft_bell *bell,
                       const weft_queue_options *options);

/* Drop `item`. */
static inline void
weft_queue_drop_(const weft_queue *q, void *item)
{
    if (q->options.drop != NULL)
        q->options.drop(item, q->options.ctx);
}

#endif /* WEFT_QUEUE_QUEUE_IMPL_H */

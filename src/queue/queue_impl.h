/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_impl.h - what the forms of the queue share: the head of the
 * struct, the table of what a form has to do, and the list of who waits on
 * several queues.
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

#include <pthread.h>
#include <stdatomic.h>

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
     *              watch that was added before the look (weft_queue_watched_)
     */
    enum weft_queue_look (*look)(weft_queue *q);
    size_t (*size)(const weft_queue *q);
    size_t (*unfinished)(const weft_queue *q);
    bool (*is_closed)(const weft_queue *q);
    void (*destroy)(weft_queue *q);
};

extern const struct weft_queue_form weft_queue_mutex_;

/* A thread in wait_any; it sleeps while the word is 0. */
struct weft_queue_any {
    _Atomic uint32_t word;
};

/* The same, as one of its queues sees it. */
struct weft_queue_watch {
    struct weft_queue_watch *next;
    struct weft_queue_watch *previous;
    struct weft_queue_any *any;
};

struct weft_queue {
    const struct weft_queue_form *form; /* constant, as are the options */
    weft_queue_options options;
    _Atomic size_t watches; /* in the list; changed under its lock */
    pthread_mutex_t watch_lock;
    struct weft_queue_watch *first_watch;
};

/* Set up, and take down, the part that all forms share; false: no memory. */
bool weft_queue_begin_(weft_queue *q, const struct weft_queue_form *form,
                       const weft_queue_options *options);
void weft_queue_end_(weft_queue *q);

/* Drop `item`. */
static inline void
weft_queue_drop_(const weft_queue *q, void *item)
{
    if (q->options.drop != NULL)
        q->options.drop(item, q->options.ctx);
}

/*
 * Whether a thread may wait on several queues of which `q` is one.  A form asks
 * in each put and close, after what it did there, with the agreement that is
 * said at `look`; if so it calls weft_queue_tell_watchers_, outside its locks.
 */
static inline bool
weft_queue_watched_(const weft_queue *q)
{
    return atomic_load_explicit(&q->watches, memory_order_relaxed) != 0;
}

/* Wake them. */
void weft_queue_tell_watchers_(weft_queue *q);

/* Until weft_queue_unwatch_, `w` is woken by weft_queue_tell_watchers_; after
 * it nobody touches `w`. */
void weft_queue_watch_(weft_queue *q, struct weft_queue_watch *w);
void weft_queue_unwatch_(weft_queue *q, struct weft_queue_watch *w);

#endif /* WEFT_QUEUE_QUEUE_IMPL_H */

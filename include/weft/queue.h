/* SPDX-License-Identifier: MIT */
/*
 * queue.h - a queue whose producers wait for room and whose consumers wait for
 * items, for any number of each.
 *
 *   shape      first in first out, last in first out, or lowest first; with a
 *              capacity or without
 *   source     the model is Python's queue module; the sources name those of
 *              their algorithms
 *   sibling    ring.h, fifo.h, stack.h, heap.h: the same orders, never waiting
 *
 *       weft_queue *jobs;
 *       if (weft_queue_create(&jobs, &(weft_queue_options){.capacity = 100}))
 *           return;
 *       s = weft_queue_put(jobs, job, weft_in_ms(50));    a producer
 *       ...
 *       (void)weft_queue_close(jobs, WEFT_DRAIN);
 *
 *       void *job;                                        a consumer
 *       while (weft_queue_get(jobs, &job, WEFT_FOREVER) == WEFT_OK) {
 *           run(job);
 *           weft_queue_task_done(jobs);
 *       }
 *
 * Waiting.  WEFT_NOW, and a deadline that has passed when the call comes, try:
 * they take what can be had and else say WEFT_FULL or WEFT_EMPTY.  A wait that
 * began and ran out says WEFT_TIMEOUT.  Both mean that nothing has changed.  A
 * thread that sleeps costs no CPU; it is a cancellation point (pthread_cancel)
 * from when it sleeps, and a thread that is cancelled there leaves the queue as
 * if it had not called: no item and no wake-up is lost.
 *
 * A fork()ed child may use and destroy a queue that no other thread of the
 * parent was inside a call of, a sleeping one included.  No call may be made
 * from a signal handler.
 */
#ifndef WEFT_QUEUE_H
#define WEFT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/heap.h> /* weft_compare */
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* Which item leaves first. */
enum weft_order {
    WEFT_FIFO,    /* the oldest */
    WEFT_LIFO,    /* the newest */
    WEFT_PRIORITY /* the lowest; among equals the oldest */
};

/* What becomes of the items of a queue that is closed. */
enum weft_close {
    WEFT_DRAIN,  /* consumers take them */
    WEFT_DISCARD /* they are dropped */
};

typedef struct weft_queue weft_queue;

/* All zero: a first-in first-out queue without bound, WEFT_LOCKFREE. */
typedef struct weft_queue_options {
    enum weft_order order;
    enum weft_impl impl;
    size_t capacity;                     /* 0: unbounded [items] */
    weft_compare *compare;               /* WEFT_PRIORITY, or `key` */
    void (*drop)(void *item, void *ctx); /* for items that nobody will get */
    void *ctx;                           /* for the three functions */
    int64_t (*key)(const void *item, void *ctx); /* lowest first */
} weft_queue_options;

/*
 * Create a queue and store it in `*out`.
 *
 *   options    copied; NULL for all defaults.  WEFT_PRIORITY wants exactly one
 *              of `compare` and `key`.  They are called in put and get, on items
 *              that are in the queue or about to be, and may call Weft on other
 *              objects; `key` is called once for each item, in its put, and is
 *              the faster of the two.  `drop` is called outside every lock, in
 *              close and in destroy; but for WEFT_MUTEX, an item whose put was
 *              under way when a close discarded is dropped by whom it meets,
 *              in a put or a get
 *   returns    WEFT_OK; else WEFT_INVALID (`out` is NULL, an enum is out of its
 *              range, WEFT_PRIORITY without a function or with both) or
 *              WEFT_NO_MEMORY, `*out` untouched
 *   cost       a bounded queue takes its memory here, and touches it as items
 *              come there
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_queue_create(weft_queue **out, const weft_queue_options *options);

/*
 * Free the queue; what is left in it is dropped through options.drop, in the
 * order in which it would have left.  NULL is fine.
 *
 *   requires   no other call is running
 */
WEFT_API void weft_queue_destroy(weft_queue *q);

/*
 * Put `item`, which may be NULL, waiting for room until `deadline`.
 *
 *   returns    WEFT_OK; else the item is still the caller's: WEFT_CLOSED, also
 *              when the queue is closed meanwhile; WEFT_FULL or WEFT_TIMEOUT, as
 *              said above; WEFT_NO_MEMORY
 *   blocking   for room: spins briefly, then sleeps in the kernel
 *   progress   WEFT_LOCKFREE: a thread stopped anywhere stops nobody else; but
 *              WEFT_LIFO and WEFT_PRIORITY: one that is stopped inside a put or
 *              a get keeps the place of its item from others, and after
 *              WEFT_DRAIN a get waits for it before it says WEFT_CLOSED; with
 *              `compare`, heap.h has one case more.
 *              WEFT_LOCKLESS: a thread stopped inside a call can hold up those
 *              that come after it.  WEFT_MUTEX: all
 *   ordering   everything before the put happens-before the return of the get
 *              that takes the item
 *   cost       wakes at most one thread in a get, and makes a system call only
 *              if one sleeps; wakes the threads that sleep in a wait_any
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_queue_put(weft_queue *q, void *item, weft_deadline deadline);

/*
 * Take the item whose turn it is into `*item`, waiting for one until
 * `deadline`.
 *
 *   returns    WEFT_OK, also after the deadline or the close if there is one;
 *              else `*item` is untouched: WEFT_CLOSED, closed and nothing left;
 *              WEFT_EMPTY or WEFT_TIMEOUT, as said above
 *   ordering   everything before the get happens-before the return of a put
 *              that waited for the room it made
 *   others     as weft_queue_put, with items for room
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_queue_get(weft_queue *q, void **item, weft_deadline deadline);

/*
 * Put the first items of `items`: as many as fit, at least one, waiting for
 * room for the first of them until `deadline`.
 *
 *   n          at least 1 [items]
 *   returns    WEFT_OK and in `*done` how many, 1 to `n`; else none, and `*done`
 *              is untouched: WEFT_INVALID if `n` is 0, the others as
 *              weft_queue_put
 *   caveat     not one step: items of other producers may come between
 *              (WEFT_MUTEX: one step)
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_queue_put_n(weft_queue *q, void *const *items, size_t n,
                 weft_deadline deadline, size_t *done);

/*
 * Take up to `n` items into `items`, in the order in which they leave: as many
 * as there are, at least one, waiting for the first of them until `deadline`.
 *
 *   returns    WEFT_OK and in `*done` how many, 1 to `n`; else none, and `*done`
 *              and `items` are untouched (`items` not after WEFT_DISCARD):
 *              WEFT_INVALID if `n` is 0, the others as weft_queue_get
 *   caveat     not one step: other consumers may take items from between
 *              (WEFT_MUTEX: one step)
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_queue_get_n(weft_queue *q,
                                                         void **items, size_t n,
                                                         weft_deadline deadline,
                                                         size_t *done);

/*
 * Mark one item that was taken as done.
 *
 *   returns    WEFT_OK; WEFT_INVALID if every item that was put is marked
 *   blocking   never (WEFT_MUTEX: for the few instructions of another call)
 *   ordering   everything before it happens-before the return of a join that
 *              counts it
 */
WEFT_API enum weft_status weft_queue_task_done(weft_queue *q);

/*
 * Wait until every item that was put is marked as done.
 *
 *   returns    WEFT_OK if that was so at a moment of the call; WEFT_TIMEOUT
 *              (also for WEFT_NOW)
 *   blocking   sleeps in the kernel; then it is a cancellation point
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_queue_join(weft_queue *q,
                                                        weft_deadline deadline);

/*
 * Close the queue for good: puts answer WEFT_CLOSED from now on, those that
 * wait too.
 *
 *   how        WEFT_DRAIN: gets go on until nothing is left.  WEFT_DISCARD:
 *              what is left is dropped through options.drop, in the order in
 *              which it would have left, and then counted as done; a join goes
 *              on waiting for items that were taken
 *   returns    WEFT_OK, also if it was closed before: then WEFT_DISCARD drops
 *              what is left, and WEFT_DRAIN changes nothing; WEFT_INVALID if
 *              `how` is not one of the enum
 *   blocking   never (WEFT_MUTEX: for the few instructions of another call);
 *              `drop` is called in the calling thread, which cannot be cancelled
 *              meanwhile
 *   ordering   everything before it happens-before the return of a call that
 *              answers WEFT_CLOSED
 */
WEFT_API enum weft_status weft_queue_close(weft_queue *q, enum weft_close how);

/*
 * Wait until one of `n` queues has something to get or is closed, until
 * `deadline`.  Nothing is taken: the get that follows may find that another
 * thread was faster, so let it be one with WEFT_NOW.
 *
 *   queues     entries that are NULL are passed over, and a queue may be there
 *              twice
 *   returns    WEFT_OK, `*index` says which: the first that has something to
 *              get; where none has, the first that is closed (whose get would
 *              answer WEFT_CLOSED at once: put NULL in its place).  Else
 *              `*index` is untouched: WEFT_TIMEOUT (also for WEFT_NOW);
 *              WEFT_INVALID if there is no queue
 *   blocking   sleeps in the kernel; then it is a cancellation point
 *   cost       where it has to wait, one atomic read-modify-write for each
 *              queue; a put on one of the queues wakes all threads that wait so
 *   caveat     the first come first: where that is unfair, turn the array
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_queue_wait_any(weft_queue *const *queues, size_t n, weft_deadline deadline,
                    size_t *index);

/*
 * Return how many items are in the queue; whether it has none; whether it is
 * at its capacity (never without one).
 *
 *   blocking   never
 *   caveat     exact only while nobody puts or gets
 */
WEFT_API size_t weft_queue_size(const weft_queue *q);
WEFT_API bool weft_queue_is_empty(const weft_queue *q);
WEFT_API bool weft_queue_is_full(const weft_queue *q);

/* Return how many items were put and are not marked as done; exact only while
 * nobody puts or marks. */
WEFT_API size_t weft_queue_unfinished(const weft_queue *q);

/* Whether the queue is closed. */
WEFT_API bool weft_queue_is_closed(const weft_queue *q);

WEFT_END_DECLS

#endif /* WEFT_QUEUE_H */

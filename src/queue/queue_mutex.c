/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_mutex.c - the form with one lock: what the others must do.
 *
 * The lock guards everything; `size`, `unfinished` and `closed` are atomic only
 * because they are also read without it.
 *
 * Who finds nothing, or no room, waits in a line: it counts itself among the
 * sleepers, lets go of the lock and sleeps until there are calls.  Who has
 * something for it turns a sleeper into a call, wakes one thread after it has
 * let go of the lock, and that thread takes the lock and uses the call up.
 * Calls have no names, and a call is no item: whoever uses one up looks again,
 * and is a sleeper again if another was faster.  At each moment, under the lock,
 *
 *     threads that wait in a line = sleepers + calls
 *
 * and with sleepers there, there are at least as many calls as items (room):
 * every item that comes makes a call, and who uses one up takes an item or
 * finds none.  So nobody sleeps for ever beside an item.  A thread that is
 * cancelled, or leaves without what it was called for, passes the call on.
 *
 *     line       waits for               called by
 *     getters    an item, or the close   put: one an item; close: all
 *     putters    room, or the close      get: one an item; close: all
 *
 * A join is not for the next one who comes: it sleeps until the number of times
 * that nothing was unfinished has changed, and returns even if more was put
 * meanwhile.  That number has 32 bits and is compared for equality; a join
 * misses its moment only if a multiple of 2^32 others go by before it wakes.
 *
 * Ordering.  The lock carries everything.
 */
#include "queue/queue_impl.h"

#include <stdlib.h>

#include "base/deadline.h"
#include "base/park.h"
#include "deadlock/watch.h"
#include "queue/queue_items.h"
#include "queue/queue_line.h"

struct mutex_queue {
    weft_queue base;
    struct weft_bell bell; /* of those who wait for several queues */
    pthread_mutex_t lock;
    struct weft_queue_items items;
    _Atomic size_t size; /* of `items` */
    _Atomic size_t unfinished;
    _Atomic bool closed;
    struct weft_line getters;
    struct weft_line putters;
    _Atomic uint32_t rounds; /* so often the last item was marked as done */
    size_t joiners;          /* who sleep until it changes */
};

typedef struct mutex_queue queue;

static queue *
of(weft_queue *q)
{
    return (queue *)(void *)q;
}

static const queue *
of_const(const weft_queue *q)
{
    return (const queue *)(const void *)q;
}

static enum weft_status
create(weft_queue **out, const weft_queue_options *options)
{
    queue *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return WEFT_NO_MEMORY;
    weft_queue_begin_(&q->base, &weft_queue_mutex_, &q->bell, options);
    if (pthread_mutex_init(&q->lock, NULL) != 0)
        goto fail_lock;
    if (!weft_queue_items_init_(&q->items, &q->base.options))
        goto fail_items;
    *out = &q->base;
    return WEFT_OK;

fail_items:
    pthread_mutex_destroy(&q->lock);
fail_lock:
    free(q);
    return WEFT_NO_MEMORY;
}

/* Drop and free all of `items`. */
static void
drop_all(queue *q, struct weft_queue_items *items)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    while (items->count != 0)
        weft_queue_drop_(&q->base, weft_queue_items_pop_(items));
    weft_queue_items_free_(items);
    pthread_setcancelstate(state, NULL);
}

static void
destroy(weft_queue *base)
{
    queue *q = of(base);

    drop_all(q, &q->items);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* --- the numbers --------------------------------------------------------- */

static size_t
size(const weft_queue *q)
{
    return atomic_load_explicit(&of_const(q)->size, memory_order_relaxed);
}

static size_t
unfinished(const weft_queue *q)
{
    return atomic_load_explicit(&of_const(q)->unfinished, memory_order_relaxed);
}

static bool
is_closed(const weft_queue *q)
{
    return atomic_load_explicit(&of_const(q)->closed, memory_order_relaxed);
}

static void
set_size(queue *q)
{
    atomic_store_explicit(&q->size, q->items.count, memory_order_relaxed);
}

static void
set_unfinished(queue *q, size_t n)
{
    atomic_store_explicit(&q->unfinished, n, memory_order_relaxed);
}

/* --- waiting ------------------------------------------------------------- */

/* How many of a line have something to come for. */
static size_t
demand(const queue *q, const struct weft_line *l)
{
    if (is_closed(&q->base))
        return SIZE_MAX;
    if (l == &q->getters)
        return q->items.count;
    return q->base.options.capacity - q->items.count;
}

/* A thread that waits. */
struct wait {
    queue *q;
    struct weft_line *line;
};

/* Leave the line without what was waited for. */
static void
cancelled(void *arg)
{
    struct wait *w = arg;
    uint32_t k = 0;

    pthread_mutex_lock(&w->q->lock);
    if (!weft_line_use_call_(w->line))
        w->line->sleepers--;
    else if (demand(w->q, w->line) != 0)
        k = weft_line_call_(w->line, 1);
    pthread_mutex_unlock(&w->q->lock);
    weft_line_wake_(w->line, k);
    weft_watch_unblock_();
}

/* Sleep while there are no calls; without the lock. */
static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
sleep_until(struct wait *w, weft_deadline deadline)
{
    enum weft_status s;

    pthread_cleanup_push(cancelled, w);
    s = weft_park_wait_cancel_(&w->line->calls, 0, deadline);
    pthread_cleanup_pop(0);
    return s;
}

/* Wait in the line until called; with the lock, which is free meanwhile. */
static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
wait_in(queue *q, struct weft_line *l, weft_deadline deadline)
{
    struct wait w = {q, l};
    enum weft_status s = WEFT_OK;

    l->sleepers++;
    while (s == WEFT_OK) {
        pthread_mutex_unlock(&q->lock);
        s = sleep_until(&w, deadline);
        pthread_mutex_lock(&q->lock);
        if (weft_line_use_call_(l))
            return WEFT_OK;
    }
    l->sleepers--;
    return s;
}

/* --- put and get --------------------------------------------------------- */

/* What a put or a get is to do. */
struct job {
    struct weft_line *line; /* where it waits: q->putters or q->getters */
    void *const *in;        /* put: these */
    void **out;             /* get: to here */
    size_t n;
    size_t done;
    uint32_t called; /* of the other line */
    bool tells;      /* the watchers */
};

static enum weft_status
put_now(queue *q, struct job *j)
{
    const size_t capacity = q->base.options.capacity;
    const size_t room = capacity != 0 ? capacity - q->items.count : SIZE_MAX;

    if (is_closed(&q->base))
        return WEFT_CLOSED;
    if (room == 0)
        return WEFT_FULL;
    while (j->done < j->n && j->done < room &&
           weft_queue_items_push_(&q->items, j->in[j->done]))
        j->done++;
    if (j->done == 0)
        return WEFT_NO_MEMORY;
    set_size(q);
    set_unfinished(q, unfinished(&q->base) + j->done);
    j->called = weft_line_call_(&q->getters, j->done);
    j->tells = weft_bell_is_watched_(&q->bell);
    return WEFT_OK;
}

static enum weft_status
get_now(queue *q, struct job *j)
{
    if (q->items.count == 0)
        return is_closed(&q->base) ? WEFT_CLOSED : WEFT_EMPTY;
    while (j->done < j->n && q->items.count != 0)
        j->out[j->done++] = weft_queue_items_pop_(&q->items);
    set_size(q);
    j->called = weft_line_call_(&q->putters, j->done);
    return WEFT_OK;
}

static enum weft_status
try_now(queue *q, struct job *j)
{
    return j->line == &q->putters ? put_now(q, j) : get_now(q, j);
}

static bool
must_wait(enum weft_status s)
{
    return s == WEFT_FULL || s == WEFT_EMPTY;
}

/* What follows once the lock is free. */
static void
tell(queue *q, const struct job *j)
{
    weft_line_wake_(j->line == &q->putters ? &q->getters : &q->putters,
                    j->called);
    if (j->tells)
        (void)weft_bell_ring_(&q->bell, 0);
}

/* Try, and wait until it can be done. */
static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
do_waiting(queue *q, struct job *j, weft_deadline deadline)
{
    enum weft_status slept = WEFT_OK;
    enum weft_status s = weft_watch_block_(&q->base, WEFT_KIND_QUEUE, deadline);

    if (s != WEFT_OK)
        return s;
    pthread_mutex_lock(&q->lock);
    while (must_wait(s = try_now(q, j)) && slept == WEFT_OK)
        slept = wait_in(q, j->line, deadline);
    pthread_mutex_unlock(&q->lock);
    weft_watch_unblock_();
    return must_wait(s) ? WEFT_TIMEOUT : s;
}

static enum weft_status
do_job(queue *q, struct job *j, weft_deadline deadline)
{
    pthread_mutex_lock(&q->lock);
    enum weft_status s = try_now(q, j);
    pthread_mutex_unlock(&q->lock);
    if (must_wait(s) && deadline > WEFT_NOW && deadline > weft_clock_ns_())
        s = do_waiting(q, j, deadline);
    if (s == WEFT_OK)
        tell(q, j);
    return s;
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
put_n(weft_queue *base, void *const *items, size_t n, weft_deadline deadline,
      size_t *done)
{
    queue *q = of(base);
    struct job j = {.line = &q->putters, .in = items, .n = n};

    WEFT_WATCH_CALL_();
    const enum weft_status s = do_job(q, &j, deadline);

    if (s == WEFT_OK)
        *done = j.done;
    return s;
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
get_n(weft_queue *base, void **items, size_t n, weft_deadline deadline,
      size_t *done)
{
    queue *q = of(base);
    struct job j = {.line = &q->getters, .out = items, .n = n};

    WEFT_WATCH_CALL_();
    const enum weft_status s = do_job(q, &j, deadline);

    if (s == WEFT_OK)
        *done = j.done;
    return s;
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
put(weft_queue *q, void *item, weft_deadline deadline)
{
    size_t done;

    return put_n(q, &item, 1, deadline, &done);
}

static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
get(weft_queue *q, void **item, weft_deadline deadline)
{
    size_t done;

    return get_n(q, item, 1, deadline, &done);
}

static enum weft_queue_look
look(weft_queue *base)
{
    queue *q = of(base);
    enum weft_queue_look found = WEFT_QUEUE_EMPTY;

    /* A put that comes after this has the lock later, and sees the watches that
     * this thread added before. */
    pthread_mutex_lock(&q->lock);
    if (q->items.count != 0)
        found = WEFT_QUEUE_ITEMS;
    else if (is_closed(base))
        found = WEFT_QUEUE_CLOSED;
    pthread_mutex_unlock(&q->lock);
    return found;
}

/* --- tasks, close -------------------------------------------------------- */

/* Mark `n` items as done; false: so many are not unfinished. */
static bool
finish(queue *q, size_t n)
{
    size_t joiners = 0;

    pthread_mutex_lock(&q->lock);
    const size_t left = unfinished(&q->base);
    if (left >= n) {
        set_unfinished(q, left - n);
        if (left == n) {
            atomic_fetch_add_explicit(&q->rounds, 1, memory_order_relaxed);
            joiners = q->joiners;
        }
    }
    pthread_mutex_unlock(&q->lock);
    if (joiners != 0)
        weft_park_wake_all_(&q->rounds);
    return left >= n;
}

static enum weft_status
task_done(weft_queue *q)
{
    return finish(of(q), 1) ? WEFT_OK : WEFT_INVALID;
}

static uint32_t
rounds(const queue *q)
{
    return atomic_load_explicit(&q->rounds, memory_order_relaxed);
}

static void
join_cancelled(void *arg)
{
    queue *q = arg;

    pthread_mutex_lock(&q->lock);
    q->joiners--;
    pthread_mutex_unlock(&q->lock);
    weft_watch_unblock_();
}

/* Sleep until nothing is unfinished; with the lock, which is free meanwhile. */
static WEFT_LEFT_WHEN_CANCELLED_ enum weft_status
sleep_joining(queue *q, weft_deadline deadline)
{
    const uint32_t seen = rounds(q);
    enum weft_status s = WEFT_OK;

    q->joiners++;
    pthread_mutex_unlock(&q->lock);
    pthread_cleanup_push(join_cancelled, q);
    while (s == WEFT_OK && rounds(q) == seen)
        s = weft_park_wait_cancel_(&q->rounds, seen, deadline);
    pthread_cleanup_pop(0);
    pthread_mutex_lock(&q->lock);
    q->joiners--;
    return rounds(q) != seen ? WEFT_OK : WEFT_TIMEOUT;
}

static enum weft_status
join(weft_queue *base, weft_deadline deadline)
{
    queue *q = of(base);

    WEFT_WATCH_CALL_();
    enum weft_status s = weft_watch_block_(base, WEFT_KIND_QUEUE, deadline);

    if (s != WEFT_OK)
        return s;
    pthread_mutex_lock(&q->lock);
    if (unfinished(base) != 0)
        s = sleep_joining(q, deadline);
    pthread_mutex_unlock(&q->lock);
    weft_watch_unblock_();
    return s;
}

static void
close_it(weft_queue *base, enum weft_close how)
{
    queue *q = of(base);
    struct weft_queue_items left = {.options = &base->options};

    pthread_mutex_lock(&q->lock);
    atomic_store_explicit(&q->closed, true, memory_order_relaxed);
    if (how == WEFT_DISCARD) {
        const struct weft_queue_items none = left;
        left = q->items;
        q->items = none;
        set_size(q);
    }
    const uint32_t getters = weft_line_call_(&q->getters, SIZE_MAX);
    const uint32_t putters = weft_line_call_(&q->putters, SIZE_MAX);
    const bool tells = weft_bell_is_watched_(&q->bell);
    pthread_mutex_unlock(&q->lock);
    weft_line_wake_(&q->getters, getters);
    weft_line_wake_(&q->putters, putters);
    if (tells)
        (void)weft_bell_ring_(&q->bell, 0);

    const size_t n = left.count;
    drop_all(q, &left);
    if (n != 0)
        (void)finish(q, n);
}

const struct weft_queue_form weft_queue_mutex_ = {
    .create = create,
    .put = put,
    .get = get,
    .put_n = put_n,
    .get_n = get_n,
    .task_done = task_done,
    .join = join,
    .close = close_it,
    .look = look,
    .size = size,
    .unfinished = unfinished,
    .is_closed = is_closed,
    .destroy = destroy,
};

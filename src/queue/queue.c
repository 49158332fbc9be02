/* SPDX-License-Identifier: MIT */
/*
 * queue/queue.c - makes queues, refuses what no form takes, and hands each call
 * to the form.
 *
 * Ordering.  None: the forms have theirs.
 */
#include "deadlock/watch.h"
#include "queue/queue_fast.h"

/* The form of these options; NULL: there is none. */
static const struct weft_queue_form *
form_of(const weft_queue_options *options)
{
    const bool strict = options->impl == WEFT_LOCKFREE;

    switch (options->impl) {
    case WEFT_MUTEX:
        return &weft_queue_mutex_;
    case WEFT_LOCKFREE:
    case WEFT_LOCKLESS:
        break;
    default:
        return NULL;
    }
    if (options->order != WEFT_FIFO)
        return &weft_queue_lifo_or_priority_;
    if (options->capacity != 0)
        return strict ? &weft_queue_ring_lockfree_ : &weft_queue_ring_lockless_;
    return strict ? &weft_queue_fifo_lockfree_ : &weft_queue_fifo_lockless_;
}

static bool
are_sane(const weft_queue_options *options)
{
    switch (options->order) {
    case WEFT_FIFO:
    case WEFT_LIFO:
        return true;
    case WEFT_PRIORITY:
        return (options->compare != NULL) != (options->key != NULL);
    }
    return false;
}

enum weft_status
weft_queue_create(weft_queue **out, const weft_queue_options *options)
{
    static const weft_queue_options defaults = {.order = WEFT_FIFO};

    if (options == NULL)
        options = &defaults;
    if (out == NULL || !are_sane(options))
        return WEFT_INVALID;
    const struct weft_queue_form *form = form_of(options);
    return form != NULL ? form->create(out, options) : WEFT_INVALID;
}

void
weft_queue_begin_(weft_queue *q, const struct weft_queue_form *form,
                  struct weft_bell *bell, const weft_queue_options *options)
{
    q->form = form;
    q->bell = bell;
    q->options = *options;
    weft_bell_init_(bell);
}

void
weft_queue_destroy(weft_queue *q)
{
    if (q != NULL && weft_watching_())
        weft_watch_forgets_(q, sizeof(*q));
    if (q != NULL)
        q->form->destroy(q);
}

/* While somebody watches: an item that is put is behind who made room for it. */
static enum weft_status
end_put(const weft_queue *q, enum weft_status s)
{
    if (s == WEFT_OK && q->options.capacity != 0)
        weft_watch_hears_(&q->options, WEFT_KIND_QUEUE);
    return s;
}

static void
begin_get(const weft_queue *q)
{
    if (q->options.capacity != 0)
        weft_watch_tells_(&q->options, WEFT_KIND_QUEUE, NULL, 1);
}

static enum weft_status
put_told(weft_queue *q, void *item, weft_deadline deadline)
{
    weft_watch_tells_(q, WEFT_KIND_QUEUE, NULL, 1);
    return end_put(q, q->form->put(q, item, deadline));
}

enum weft_status
weft_queue_put(weft_queue *q, void *item, weft_deadline deadline)
{
    if (__builtin_expect(weft_watching_(), 0))
        return put_told(q, item, deadline);
    return q->form->put(q, item, deadline);
}

/* While somebody watches: who takes an item goes on behind who put it. */
static enum weft_status
get_told(weft_queue *q, void **item, weft_deadline deadline)
{
    begin_get(q);
    const enum weft_status s = q->form->get(q, item, deadline);
    if (s == WEFT_OK)
        weft_watch_hears_(q, WEFT_KIND_QUEUE);
    return s;
}

enum weft_status
weft_queue_get(weft_queue *q, void **item, weft_deadline deadline)
{
    if (__builtin_expect(weft_watching_(), 0))
        return get_told(q, item, deadline);
    return q->form->get(q, item, deadline);
}

enum weft_status
weft_queue_put_n(weft_queue *q, void *const *items, size_t n,
                 weft_deadline deadline, size_t *done)
{
    if (n == 0)
        return WEFT_INVALID;
    if (weft_watching_())
        weft_watch_tells_(q, WEFT_KIND_QUEUE, NULL, 1);
    const enum weft_status s = q->form->put_n(q, items, n, deadline, done);
    return weft_watching_() ? end_put(q, s) : s;
}

enum weft_status
weft_queue_get_n(weft_queue *q, void **items, size_t n, weft_deadline deadline,
                 size_t *done)
{
    if (n == 0)
        return WEFT_INVALID;
    if (weft_watching_())
        begin_get(q);
    const enum weft_status s = q->form->get_n(q, items, n, deadline, done);
    if (s == WEFT_OK && weft_watching_())
        weft_watch_hears_(q, WEFT_KIND_QUEUE);
    return s;
}

enum weft_status
weft_queue_task_done(weft_queue *q)
{
    if (weft_watching_()) /* what was got is done: for a join */
        weft_watch_tells_(q->bell, WEFT_KIND_QUEUE, NULL, 1);
    return q->form->task_done(q);
}

enum weft_status
weft_queue_join(weft_queue *q, weft_deadline deadline)
{
    const enum weft_status s = q->form->join(q, deadline);

    if (s == WEFT_OK && weft_watching_())
        weft_watch_hears_(q->bell, WEFT_KIND_QUEUE);
    return s;
}

enum weft_status
weft_queue_close(weft_queue *q, enum weft_close how)
{
    if (how != WEFT_DRAIN && how != WEFT_DISCARD)
        return WEFT_INVALID;
    q->form->close(q, how);
    return WEFT_OK;
}

size_t
weft_queue_size(const weft_queue *q)
{
    return q->form->size(q);
}

bool
weft_queue_is_empty(const weft_queue *q)
{
    return q->form->size(q) == 0;
}

bool
weft_queue_is_full(const weft_queue *q)
{
    const size_t capacity = q->options.capacity;

    return capacity != 0 && q->form->size(q) >= capacity;
}

size_t
weft_queue_unfinished(const weft_queue *q)
{
    return q->form->unfinished(q);
}

bool
weft_queue_is_closed(const weft_queue *q)
{
    return q->form->is_closed(q);
}

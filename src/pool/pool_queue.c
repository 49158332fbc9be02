/* SPDX-License-Identifier: MIT */
/*
 * pool_queue.c - what came from outside and has not begun: three queues, one
 * for each priority.
 *
 * WEFT_MUTEX: lists under the pool's lock, linked through the tasks.  Else a
 * fifo for each (fifo.h), which says by itself that it takes no more.
 *
 * The close.  Who puts something in after it is refused, and who overlaps with
 * it succeeds or is refused: so once a worker has seen that it is drained, it
 * stays so.
 */
#include "pool/pool_impl.h"

#include "container/fifo_impl.h"

enum weft_status
weft_pool_queue_init_(weft_pool *p)
{
    if (p->locked)
        return weft_mutex_init(&p->lock), WEFT_OK;
    for (int i = 0; i < WEFT_PRIORITIES; i++) {
        const enum weft_status s =
            weft_fifo_create(&p->fifos[i], WEFT_LOCKFREE);
        if (s != WEFT_OK)
            return s;
    }
    return WEFT_OK;
}

void
weft_pool_queue_fini_(weft_pool *p)
{
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        weft_fifo_destroy(p->fifos[i]);
}

/* Under the lock. */
static bool
append(weft_pool *p, weft_task *t, enum weft_priority priority)
{
    struct weft_task_list *list = &p->lists[priority];

    if (p->closed)
        return false;
    atomic_store_explicit(&t->word, NULL, memory_order_relaxed);
    if (list->last != NULL)
        atomic_store_explicit(&list->last->word, t, memory_order_relaxed);
    else
        list->first = t;
    list->last = t;
    p->pending++;
    return true;
}

static enum weft_status
put_mutex(weft_pool *p, weft_task *t, enum weft_priority priority)
{
    weft_mutex_lock(&p->lock);
    const bool done = append(p, t, priority);
    weft_mutex_unlock(&p->lock);
    return done ? WEFT_OK : weft_pool_refusal_(p);
}

static enum weft_status
put_fifo(weft_pool *p, weft_task *t, enum weft_priority priority)
{
    if (weft_fifo_push(p->fifos[priority], t) == WEFT_OK)
        return WEFT_OK;
    return weft_fifo_is_closed_(p->fifos[priority]) ? weft_pool_refusal_(p)
                                                    : WEFT_NO_MEMORY;
}

enum weft_status
weft_pool_queue_put_(weft_pool *p, weft_task *t, enum weft_priority priority)
{
    return p->locked ? put_mutex(p, t, priority) : put_fifo(p, t, priority);
}

void
weft_pool_queue_close_(weft_pool *p)
{
    if (p->locked) {
        weft_mutex_lock(&p->lock);
        p->closed = true;
        weft_mutex_unlock(&p->lock);
        return;
    }
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        weft_fifo_close_(p->fifos[i]);
}

static weft_task *
take_mutex(weft_pool *p, enum weft_priority priority)
{
    struct weft_task_list *list = &p->lists[priority];

    weft_mutex_lock(&p->lock);
    weft_task *t = list->first;
    if (t != NULL) {
        list->first = atomic_load_explicit(&t->word, memory_order_relaxed);
        if (list->first == NULL)
            list->last = NULL;
        p->pending--;
    }
    weft_mutex_unlock(&p->lock);
    return t;
}

weft_task *
weft_pool_queue_take_(weft_pool *p, enum weft_priority priority)
{
    void *t;

    if (p->locked)
        return take_mutex(p, priority);
    return weft_fifo_pop(p->fifos[priority], &t) == WEFT_OK ? t : NULL;
}

static bool
is_drained_mutex(weft_pool *p)
{
    weft_mutex_lock(&p->lock);
    const bool drained = p->closed && p->pending == 0;
    weft_mutex_unlock(&p->lock);
    return drained;
}

bool
weft_pool_queue_is_drained_(weft_pool *p)
{
    if (p->locked)
        return is_drained_mutex(p);
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        if (!weft_fifo_is_drained_(p->fifos[i]))
            return false;
    return true;
}

size_t
weft_pool_queue_size_(weft_pool *p)
{
    size_t n = 0;

    if (p->locked) {
        weft_mutex_lock(&p->lock);
        n = p->pending;
        weft_mutex_unlock(&p->lock);
        return n;
    }
    for (int i = 0; i < WEFT_PRIORITIES; i++)
        n += weft_fifo_size(p->fifos[i]);
    return n;
}

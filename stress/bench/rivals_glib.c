/* SPDX-License-Identifier: MIT */
/*
 * rivals_glib.c - GLib's GAsyncQueue: a mutex, a condition, and a list whose
 * links it allocates.
 */
#include <glib.h>

#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/slots.h"

/* One producer's, on lines of its own. */
struct supply {
    alignas(64) size_t next;
    size_t count;
    slot_word *slots;
};

struct asynced {
    GAsyncQueue *queue;
    slot_word end; /* its address says that nobody pushes any more */
    unsigned producers;
    struct supply *supplies;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct asynced *q = must_have(1, sizeof(*q));

    (void)kind;
    q->queue = g_async_queue_new();
    q->producers = load->producers;
    q->supplies = must_have(load->producers, sizeof(q->supplies[0]));
    for (unsigned i = 0; i < load->producers; i++) {
        q->supplies[i].count = slots_each(load);
        q->supplies[i].slots =
            must_have(q->supplies[i].count, sizeof(slot_word));
    }
    return q;
}

static void
destroy(void *queue)
{
    struct asynced *q = queue;

    g_async_queue_unref(q->queue);
    for (unsigned i = 0; i < q->producers; i++)
        free(q->supplies[i].slots);
    free(q->supplies);
    free(q);
}

static void
finish(void *queue)
{
    struct asynced *q = queue;

    g_async_queue_push(q->queue, &q->end);
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    struct asynced *q = queue;
    struct supply *s = &q->supplies[h->index];
    slot_word *slot = &s->slots[s->next];

    if (!slot_fill(slot, item))
        return false;
    s->next = s->next + 1 == s->count ? 0 : s->next + 1;
    g_async_queue_push(q->queue, slot);
    return true;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    struct asynced *q = queue;
    slot_word *slot = g_async_queue_pop(q->queue);

    (void)h;
    if (slot == &q->end) {
        g_async_queue_push(q->queue, slot); /* for the next one who asks */
        return false;
    }
    *item = slot_empty(slot);
    return true;
}

static void
work(struct queue_hand *h)
{
    static const struct queue_ops ops = {push, pop, NULL, NULL};

    queue_work(h, &ops);
}

const struct queue_variant queue_glib[] = {
    {"GAsyncQueue", "unbounded, pop waits inside", true, false, false,
     QUEUE_ANY, 0, create, destroy, work, finish},
    {.name = NULL},
};

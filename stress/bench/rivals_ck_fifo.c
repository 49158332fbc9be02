/* SPDX-License-Identifier: MIT */
/*
 * rivals_ck_fifo.c - Concurrency Kit's ck_fifo_mpmc, a Michael & Scott queue
 * with counted pointers.  A dequeue returns the entry that was the dummy; it
 * must stay mapped, and goes back to the producer it came from.
 */
#include <ck_fifo.h>

#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/sanitized.h"
#include "bench/slots.h"

#ifdef CK_F_FIFO_MPMC

struct entry {
    ck_fifo_mpmc_entry_t entry; /* first: its address is the slot's */
    slot_word word;             /* NULL: with its producer */
};

/* One producer's, on lines of its own. */
struct entry_supply {
    alignas(64) size_t next;
    size_t count;
    struct entry *entries;
};

struct counted {
    alignas(64) ck_fifo_mpmc_t fifo;
    alignas(64) struct entry first; /* the first dummy: nobody's */
    struct entry_supply *supplies;
    unsigned producers;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct counted *q = aligned_alloc(alignof(struct counted), sizeof(*q));

    (void)kind;
    if (q == NULL)
        return NULL;
    ck_fifo_mpmc_init(&q->fifo, &q->first.entry);
    q->producers = load->producers;
    q->supplies = must_have(load->producers, sizeof(q->supplies[0]));
    for (unsigned i = 0; i < load->producers; i++) {
        q->supplies[i].count = slots_each(load) + 1; /* one is the dummy */
        q->supplies[i].entries =
            must_have(q->supplies[i].count, sizeof(struct entry));
    }
    return q;
}

static void
destroy(void *queue)
{
    struct counted *q = queue;

    for (unsigned i = 0; i < q->producers; i++)
        free(q->supplies[i].entries);
    free(q->supplies);
    free(q);
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    struct counted *q = queue;
    struct entry_supply *s = &q->supplies[h->index];
    struct entry *e = &s->entries[s->next];

    if (!slot_fill(&e->word, item))
        return false;
    s->next = s->next + 1 == s->count ? 0 : s->next + 1;
    ck_fifo_mpmc_enqueue(&q->fifo, &e->entry, item);
    return true;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    struct counted *q = queue;
    ck_fifo_mpmc_entry_t *old;

    (void)h;
    if (!ck_fifo_mpmc_dequeue(&q->fifo, item, &old))
        return false;
    (void)slot_empty(&((struct entry *)old)->word);
    return true;
}

static void
work(struct queue_hand *h)
{
    static const struct queue_ops ops = {push, pop, NULL, NULL};

    queue_work(h, &ops);
}

#define NAME (SANITIZED_THREADS ? NULL : "ck_fifo mpmc")

const struct queue_variant queue_ck_fifo[] = {
    {NAME, "entries are the caller's", true, false, false, QUEUE_ANY, 0, create,
     destroy, work, NULL},
    {.name = NULL},
};

#else

const struct queue_variant queue_ck_fifo[] = {
    {.name = NULL},
};

#endif

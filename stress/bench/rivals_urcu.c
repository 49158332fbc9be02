/* SPDX-License-Identifier: MIT */
/*
 * rivals_urcu.c - liburcu's wfcqueue and rculfqueue.  Both are linked lists of
 * nodes that the caller owns; its functions are called, not compiled in, as
 * any program that is not under the LGPL has to.
 *
 * wfcqueue: enqueue is one exchange, dequeue needs a lock with more than one
 * consumer.  A node is free as soon as it is out.  While an enqueue is half
 * done, the blocking dequeue sleeps for 10 ms at a time; the other one comes
 * back, and then waits as it does for every rival.
 *
 * rculfqueue: calls run inside RCU read-side sections, and a node that is out
 * may be used again only after a grace period.  Nodes come in blocks; a block
 * whose items are all back, which the window tells, is retired by one call_rcu
 * and then serves again.  Grace periods take milliseconds, so there are as many
 * blocks as that takes.
 *
 * Ordering.  Beside that of slots.h:
 *
 *     recycle   the block's grace period is over  ->  its producer uses it
 */
#include <urcu-bp.h>
#include <urcu/rculfqueue.h>
#include <urcu/wfcqueue.h>

#include <stdlib.h>
#include <string.h>

#include "bench/queue_loops.h"
#include "bench/sanitized.h"
#include "bench/slots.h"

/* --- wfcqueue ------------------------------------------------------------ */

struct waited_slot {
    struct cds_wfcq_node node; /* first: its address is the slot's */
    slot_word word;
};

/* One producer's, on lines of its own. */
struct waited_supply {
    alignas(64) size_t next;
    size_t count;
    struct waited_slot *slots;
};

struct waited {
    alignas(64) struct cds_wfcq_head head;
    alignas(64) struct cds_wfcq_tail tail;
    alignas(64) struct waited_supply *supplies;
    unsigned producers;
};

static void *
create_waited(const struct queue_load *load, int kind)
{
    struct waited *q = must_have(1, sizeof(*q));

    (void)kind;
    cds_wfcq_init(&q->head, &q->tail);
    q->producers = load->producers;
    q->supplies = must_have(load->producers, sizeof(q->supplies[0]));
    for (unsigned i = 0; i < load->producers; i++) {
        q->supplies[i].count = slots_each(load);
        q->supplies[i].slots =
            must_have(q->supplies[i].count, sizeof(struct waited_slot));
    }
    return q;
}

static void
destroy_waited(void *queue)
{
    struct waited *q = queue;

    cds_wfcq_destroy(&q->head, &q->tail);
    for (unsigned i = 0; i < q->producers; i++)
        free(q->supplies[i].slots);
    free(q->supplies);
    free(q);
}

static inline bool
push_waited(struct queue_hand *h, void *queue, void *item)
{
    struct waited *q = queue;
    struct waited_supply *s = &q->supplies[h->index];
    struct waited_slot *slot = &s->slots[s->next];

    if (!slot_fill(&slot->word, item))
        return false;
    s->next = s->next + 1 == s->count ? 0 : s->next + 1;
    cds_wfcq_node_init(&slot->node);
    cds_wfcq_enqueue(&q->head, &q->tail, &slot->node);
    return true;
}

static inline bool
empty_waited(struct cds_wfcq_node *node, void **item)
{
    if (node == NULL || node == CDS_WFCQ_WOULDBLOCK)
        return false;
    *item = slot_empty(&((struct waited_slot *)node)->word);
    return true;
}

/* The only consumer needs no lock. */
static inline bool
pop_waited_alone(struct queue_hand *h, void *queue, void **item)
{
    struct waited *q = queue;

    (void)h;
    return empty_waited(__cds_wfcq_dequeue_nonblocking(&q->head, &q->tail),
                        item);
}

static inline bool
pop_waited(struct queue_hand *h, void *queue, void **item)
{
    struct waited *q = queue;

    (void)h;
    cds_wfcq_dequeue_lock(&q->head, &q->tail);
    struct cds_wfcq_node *node =
        __cds_wfcq_dequeue_nonblocking(&q->head, &q->tail);
    cds_wfcq_dequeue_unlock(&q->head, &q->tail);
    return empty_waited(node, item);
}

static void
work_waited_alone(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_waited, pop_waited_alone, NULL,
                                         NULL};

    queue_work(h, &ops);
}

static void
work_waited(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_waited, pop_waited, NULL, NULL};

    queue_work(h, &ops);
}

/* --- rculfqueue ---------------------------------------------------------- */

#define BLOCK_NODES 4096 /* at least; and never fewer than the window */

struct rcu_slot {
    struct cds_lfq_node_rcu node; /* first: its address is the slot's */
    slot_word word;
};

struct block {
    struct rcu_head head; /* first: its address is the block's */
    struct rcu_supply *owner;
    struct block *next; /* in the owner's list of blocks that serve again */
    struct block *all;  /* every block of the queue's */
    struct rcu_slot slots[];
};

/* One producer's, on lines of its own. */
struct rcu_supply {
    alignas(64) struct block *now; /* where nodes are taken from */
    struct block *before;          /* all taken, perhaps not all back */
    size_t next;
    size_t block_nodes;
    size_t turn; /* in the window */
    size_t window_count;
    slot_word **window; /* what was pushed a window ago */
    struct block *all;
    alignas(64) _Atomic(struct block *) again; /* the call_rcu thread pushes */
};

struct rcu_queue {
    alignas(64) struct cds_lfq_queue_rcu queue;
    alignas(64) struct rcu_supply *supplies;
    unsigned producers;
};

static struct block *
block_create(struct rcu_supply *s)
{
    struct block *b =
        must_have(1, sizeof(*b) + s->block_nodes * sizeof(struct rcu_slot));

    b->owner = s;
    b->all = s->all;
    s->all = b;
    return b;
}

/* The grace period is over: to the list.  Only the owner takes from it, all at
 * once, so that a block cannot come back between load and exchange. */
static void
serve_again(struct rcu_head *head)
{
    struct block *b = (struct block *)head;
    _Atomic(struct block *) *again = &b->owner->again;

    b->next = atomic_load_explicit(again, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        again, &b->next, b, memory_order_release, /* release: recycle */
        memory_order_relaxed))
        continue;
}

/* A block that nobody looks at; the rest of the list goes back. */
static struct block *
next_block(struct rcu_supply *s)
{
    struct block *b = atomic_exchange_explicit(
        &s->again, NULL, memory_order_acquire); /* acquire: recycle */

    if (b == NULL)
        return block_create(s);
    for (struct block *rest = b->next; rest != NULL;) {
        struct block *following = rest->next;
        serve_again(&rest->head);
        rest = following;
    }
    return b;
}

static void *
create_rcu(const struct queue_load *load, int kind)
{
    struct rcu_queue *q = must_have(1, sizeof(*q));

    (void)kind;
    cds_lfq_init_rcu(&q->queue, call_rcu);
    q->producers = load->producers;
    q->supplies = must_have(load->producers, sizeof(q->supplies[0]));
    for (unsigned i = 0; i < load->producers; i++) {
        struct rcu_supply *s = &q->supplies[i];
        s->window_count = slots_each(load);
        s->window = must_have(s->window_count, sizeof(s->window[0]));
        s->block_nodes =
            s->window_count > BLOCK_NODES ? s->window_count : BLOCK_NODES;
        s->now = block_create(s);
    }
    return q;
}

static void
destroy_rcu(void *queue)
{
    struct rcu_queue *q = queue;
    struct cds_lfq_node_rcu *node;

    /* What a run left behind, so that its last dummy node can be freed. */
    do {
        rcu_read_lock();
        node = cds_lfq_dequeue_rcu(&q->queue);
        rcu_read_unlock();
    } while (node != NULL);
    cds_lfq_destroy_rcu(&q->queue);
    rcu_barrier();
    for (unsigned i = 0; i < q->producers; i++) {
        struct rcu_supply *s = &q->supplies[i];
        while (s->all != NULL) {
            struct block *b = s->all;
            s->all = b->all;
            free(b);
        }
        free(s->window);
    }
    free(q->supplies);
    free(q);
}

/* Every node of this block is taken.  Those of the one before are back: since
 * its last one a whole window went out. */
static void
turn_block(struct rcu_supply *s)
{
    if (s->before != NULL)
        call_rcu(&s->before->head, serve_again);
    s->before = s->now;
    s->now = next_block(s);
    s->next = 0;
}

static inline bool
push_rcu(struct queue_hand *h, void *queue, void *item)
{
    struct rcu_queue *q = queue;
    struct rcu_supply *s = &q->supplies[h->index];
    slot_word **old = &s->window[s->turn];

    if (*old != NULL && !slot_is_back(*old))
        return false;
    if (s->next == s->block_nodes)
        turn_block(s);
    struct rcu_slot *slot = &s->now->slots[s->next++];
    atomic_store_explicit(&slot->word, item, memory_order_relaxed);
    *old = &slot->word;
    s->turn = s->turn + 1 == s->window_count ? 0 : s->turn + 1;
    cds_lfq_node_init_rcu(&slot->node);
    rcu_read_lock();
    cds_lfq_enqueue_rcu(&q->queue, &slot->node);
    rcu_read_unlock();
    return true;
}

static inline bool
pop_rcu(struct queue_hand *h, void *queue, void **item)
{
    struct rcu_queue *q = queue;

    (void)h;
    rcu_read_lock();
    struct cds_lfq_node_rcu *node = cds_lfq_dequeue_rcu(&q->queue);
    rcu_read_unlock();
    if (node == NULL)
        return false;
    *item = slot_empty(&((struct rcu_slot *)node)->word);
    return true;
}

static void
work_rcu(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_rcu, pop_rcu, NULL, NULL};

    queue_work(h, &ops);
}

const struct queue_variant queue_urcu[] = {
    {SANITIZED_THREADS ? NULL : "wfcqueue",
     "unbounded; single consumer, no lock", true, false, false,
     QUEUE_ONE_CONSUMER, 0, create_waited, destroy_waited, work_waited_alone,
     NULL},
    {"wfcqueue locked", "unbounded; dequeue under its lock", true, false, false,
     QUEUE_MANY_CONSUMERS, 0, create_waited, destroy_waited, work_waited, NULL},
    {"rculfqueue", "unbounded", true, false, false, QUEUE_ANY, 0, create_rcu,
     destroy_rcu, work_rcu, NULL},
    {.name = NULL},
};

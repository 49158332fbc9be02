/* SPDX-License-Identifier: MIT */
/*
 * rivals_stack.c - other stacks: Concurrency Kit's ck_stack, liburcu's lfstack,
 * and what one writes oneself, an array and a list under a pthread mutex.
 *
 * The first two are linked lists of nodes that the caller owns: each producer
 * has a fixed number of them (slots.h).  ck_stack is Treiber's with a count
 * against reuse, in 16 bytes.  lfstack leaves reuse to its caller: pop is under
 * its own mutex.  The list under a mutex allocates a node for each item.
 */
#include <ck_stack.h>
#include <urcu/lfstack.h>

#include <pthread.h>
#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/sanitized.h"
#include "bench/slots.h"
#include "bench/window.h"

/* --- ck_stack and lfstack ------------------------------------------------ */

struct slot {
    union {
        struct ck_stack_entry entry;
        struct cds_lfs_node node;
    } link; /* first: its address is the slot's */
    slot_word word;
};

/* One producer's, on lines of its own. */
struct supply {
    alignas(64) size_t next;
    size_t count;
    struct slot *slots;
};

struct linked {
    alignas(64) ck_stack_t stack;
    alignas(64) struct cds_lfs_stack list;
    alignas(64) struct supply *supplies;
    unsigned producers;
};

static void *
create_linked(const struct queue_load *load, int kind)
{
    struct linked *q = must_have(1, sizeof(*q));

    (void)kind;
    ck_stack_init(&q->stack);
    cds_lfs_init(&q->list);
    q->producers = load->producers;
    q->supplies = must_have(load->producers, sizeof(q->supplies[0]));
    for (unsigned i = 0; i < load->producers; i++) {
        q->supplies[i].count = slots_each(load);
        q->supplies[i].slots =
            must_have(q->supplies[i].count, sizeof(struct slot));
    }
    return q;
}

static void
destroy_linked(void *queue)
{
    struct linked *q = queue;

    cds_lfs_destroy(&q->list);
    for (unsigned i = 0; i < q->producers; i++)
        free(q->supplies[i].slots);
    free(q->supplies);
    free(q);
}

/* A slot with `item` in it, or NULL. */
static inline struct slot *
next_slot(const struct queue_hand *h, struct linked *q, void *item)
{
    struct supply *s = &q->supplies[h->index];
    struct slot *slot = &s->slots[s->next];

    if (!slot_fill(&slot->word, item))
        return NULL;
    s->next = s->next + 1 == s->count ? 0 : s->next + 1;
    return slot;
}

static inline bool
push_ck(struct queue_hand *h, void *queue, void *item)
{
    struct linked *q = queue;
    struct slot *slot = next_slot(h, q, item);

    if (slot == NULL)
        return false;
    ck_stack_push_mpmc(&q->stack, &slot->link.entry);
    return true;
}

static inline bool
pop_ck(struct queue_hand *h, void *queue, void **item)
{
    struct linked *q = queue;
    struct ck_stack_entry *entry = ck_stack_pop_mpmc(&q->stack);

    (void)h;
    if (entry == NULL)
        return false;
    *item = slot_empty(&((struct slot *)(void *)entry)->word);
    return true;
}

static void
work_ck(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_ck, pop_ck, NULL, NULL};

    queue_work(h, &ops);
}

static inline bool
push_lfs(struct queue_hand *h, void *queue, void *item)
{
    struct linked *q = queue;
    struct slot *slot = next_slot(h, q, item);

    if (slot == NULL)
        return false;
    cds_lfs_node_init(&slot->link.node);
    cds_lfs_push(&q->list, &slot->link.node);
    return true;
}

static inline bool
pop_lfs(struct queue_hand *h, void *queue, void **item)
{
    struct linked *q = queue;
    struct cds_lfs_node *node = cds_lfs_pop_blocking(&q->list);

    (void)h;
    if (node == NULL)
        return false;
    *item = slot_empty(&((struct slot *)(void *)node)->word);
    return true;
}

static void
work_lfs(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_lfs, pop_lfs, NULL, NULL};

    queue_work(h, &ops);
}

/* --- under a pthread mutex ----------------------------------------------- */

struct cell {
    struct cell *below;
    void *item;
};

struct locked {
    alignas(64) pthread_mutex_t lock;
    struct cell *top;
    void **items;
    size_t room;
    size_t count;
    struct window window;
};

static void *
create_locked(const struct queue_load *load, int kind)
{
    struct locked *q = must_have(1, sizeof(*q));

    (void)kind;
    pthread_mutex_init(&q->lock, NULL);
    window_open(&q->window, load);
    return q;
}

static void
destroy_locked(void *queue)
{
    struct locked *q = queue;

    while (q->top != NULL) {
        struct cell *below = q->top->below;
        free(q->top);
        q->top = below;
    }
    pthread_mutex_destroy(&q->lock);
    window_close(&q->window);
    free(q->items);
    free(q);
}

static inline bool
push_array(struct queue_hand *h, void *queue, void *item)
{
    struct locked *q = queue;

    if (window_is_kept(h) && !window_enter(&q->window, h, 1))
        return false;
    pthread_mutex_lock(&q->lock);
    if (q->count == q->room) {
        q->room = q->room > 0 ? 2 * q->room : 64;
        q->items = realloc(q->items, q->room * sizeof(q->items[0]));
        if (q->items == NULL)
            abort();
    }
    q->items[q->count++] = item;
    pthread_mutex_unlock(&q->lock);
    return true;
}

static inline bool
pop_array(struct queue_hand *h, void *queue, void **item)
{
    struct locked *q = queue;

    pthread_mutex_lock(&q->lock);
    const bool done = q->count > 0;
    if (done)
        *item = q->items[--q->count];
    pthread_mutex_unlock(&q->lock);
    if (window_is_kept(h))
        window_leave(&q->window, h, done);
    return done;
}

static void
work_array(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_array, pop_array, NULL, NULL};

    queue_work(h, &ops);
}

static inline bool
push_list(struct queue_hand *h, void *queue, void *item)
{
    struct locked *q = queue;

    if (window_is_kept(h) && !window_enter(&q->window, h, 1))
        return false;
    struct cell *c = malloc(sizeof(*c));
    if (c == NULL)
        abort();
    c->item = item;
    pthread_mutex_lock(&q->lock);
    c->below = q->top;
    q->top = c;
    pthread_mutex_unlock(&q->lock);
    return true;
}

static inline bool
pop_list(struct queue_hand *h, void *queue, void **item)
{
    struct locked *q = queue;

    pthread_mutex_lock(&q->lock);
    struct cell *c = q->top;
    if (c != NULL)
        q->top = c->below;
    pthread_mutex_unlock(&q->lock);
    if (window_is_kept(h))
        window_leave(&q->window, h, c != NULL);
    if (c == NULL)
        return false;
    *item = c->item;
    free(c);
    return true;
}

static void
work_list(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_list, pop_list, NULL, NULL};

    queue_work(h, &ops);
}

#define MODES (QUEUE_ANY | QUEUE_UNORDERED)

const struct queue_variant queue_stack_rivals[] = {
    {"pthread mutex array", "unbounded", true, false, false, MODES, 0,
     create_locked, destroy_locked, work_array, NULL},
    {"pthread mutex list", "a malloc an item", true, false, false, MODES, 0,
     create_locked, destroy_locked, work_list, NULL},
    {SANITIZED_THREADS ? NULL : "ck_stack mpmc", "nodes are the caller's", true,
     false, false, MODES, 0, create_linked, destroy_linked, work_ck, NULL},
    {"lfstack", "nodes are the caller's; pop under its mutex", true, false,
     false, MODES, 0, create_linked, destroy_linked, work_lfs, NULL},
    {.name = NULL},
};

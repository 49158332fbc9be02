/* SPDX-License-Identifier: MIT */
/*
 * container/heap_lockfree.c - the heap without a lock: a skip list, after
 * Jonatan Linden and Bengt Jonsson, A Skiplist-Based Concurrent Priority Queue
 * with Minimal Memory Contention, OPODIS 2013.
 *
 * Level 0 is the heap: one list of all nodes, in two parts.
 *
 *     front ->(T) a ->(T) b ->(T) c -> d -> e -> f -> NULL
 *                                 |
 *         taken, in any order     |    items, lowest first, equal ones in the
 *                                 |    order of arrival
 *
 * The bit T in the link that leads to a node says that it is taken.  Hence the
 * state of the heap is what one word says, the first link without T: a pop sets
 * T in it, and whatever node it leads to at that moment is the lowest, and is
 * taken.  A push links its node by a compare-and-swap of a link without T, so
 * never between taken ones: in front of d it contends with pops for the same
 * word.  Thus both take effect in one step, and the heap is linearizable.  Of
 * equal ones a new one comes last because its push goes past all that are not
 * greater; no numbers are needed.  A link of level 0 never comes back to a
 * value it had: nodes are inserted, then T is set, and then it is constant.
 *
 * The node before the first item is always there, at first an empty one.  A pop
 * that had to go past BOUND taken nodes moves `front` to where it came; the
 * nodes before it go back (heap_nodes.c).
 *
 * The higher levels are shortcuts.  A node that is missing there costs time
 * and nothing else, so a push that loses a race for a link there gives it up.
 * But no link of level i may lead back in the order of level 0, or it could
 * lead to memory that is given back.  Before a push links a node between
 * `before` and `after`, it therefore makes sure, after its node has come into
 * level 0, that `after` was not yet taken then:
 *
 *     `before` is a node: then it is not passed yet, for T is not set in its
 *         link; and who stands behind it has not been taken before it was.
 *     `before` is the beginning: then `after` is neither the last that is
 *         taken, nor before it, for its link would have T.
 *
 * With a compare function (heap_pins.c) a push looks at an item only while it
 * has its node pinned, and at none once its own node is in level 0.
 *
 * Ordering.
 *
 *     publish       a push links its node      ->  who follows the link
 *     take          a pop sets T               ->  who sees T and goes on
 *     heap.move     a pop moves front          ->  who starts there
 *     heap.settle   a push has made its links  ->  give_back, heap_nodes.c
 */
#include "container/heap_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/sched.h"

#define LEVELS WEFT_HEAP_LEVELS
#define TAKEN  WEFT_HEAP_TAKEN
#define BOUND  32 /* taken nodes that a pop goes past; doc/design/heap.md */

/* One level in BRANCH has a node of the level below. */
#define BRANCH_BITS 2

_Static_assert(1 + 30 / BRANCH_BITS <= LEVELS, "draw_height fits");

/* Where an item belongs: in each level between two nodes. */
struct spot {
    struct weft_heap_node *before[LEVELS]; /* NULL: the beginning */
    uintptr_t seen[LEVELS];                /* the link that `before` had */
    struct weft_heap_node *after[LEVELS];  /* NULL: the end */
};

/* A push: what it looks for, and its pin if it compares. */
struct search {
    weft_heap *heap;
    const void *item;
    int64_t key;
    struct weft_heap_pin *pin;
};

enum answer { NOT_AFTER_IT, AFTER_IT, IT_IS_TAKEN };

static uintptr_t
follow(_Atomic uintptr_t *link)
{
    /* acquire: publish, take */
    return atomic_load_explicit(link, memory_order_acquire);
}

/* Whether `n` is taken and not the last such; if it is that, one cannot tell.
 */
static bool
is_passed(struct weft_heap_node *n)
{
    return (follow(&n->next[0]) & TAKEN) != 0;
}

static _Atomic uintptr_t *
link_of(weft_heap *h, struct weft_heap_node *before, unsigned level)
{
    return before != NULL ? &before->next[level] : &h->first[level];
}

static struct weft_heap_node *
front_of(weft_heap *h)
{
    /* acquire: heap.move */
    return atomic_load_explicit(&h->front, memory_order_acquire);
}

/* Does `n`, which is not the searcher's own, leave before what is searched? */
static inline enum answer
ask(const struct search *s, struct weft_heap_node *n)
{
    const weft_heap *h = s->heap;

    if (h->compare == NULL)
        return n->key <= s->key ? AFTER_IT : NOT_AFTER_IT;
    if (!weft_heap_pin_(s->pin, n))
        return IT_IS_TAKEN;
    return h->compare(n->item, s->item, h->ctx) <= 0 ? AFTER_IT : NOT_AFTER_IT;
}

/* Find the place in level 0, from `n` on, which stands before it. */
static void
find_below(const struct search *s, struct spot *at, struct weft_heap_node *n)
{
    struct weft_heap_node *bound = at->after[1];
    struct weft_heap_node *next;
    uintptr_t seen;

    for (;;) {
        seen = follow(&n->next[0]);
        next = weft_heap_led_to_(seen);
        if ((seen & TAKEN) == 0) {
            if (next == NULL || next == bound)
                break;
            const enum answer a = ask(s, next);
            if (a == NOT_AFTER_IT)
                break;
            if (a == IT_IS_TAKEN)
                continue; /* the link has T now */
        }
        n = next;
    }
    at->before[0] = n;
    at->seen[0] = seen;
    at->after[0] = next;
}

/* Find the place in level `i`, from `before` on; the one above is known. */
static struct weft_heap_node *
find_at(const struct search *s, struct spot *at, unsigned i,
        struct weft_heap_node *before, const struct weft_heap_node *bound)
{
    uintptr_t seen = follow(link_of(s->heap, before, i));
    struct weft_heap_node *next = weft_heap_led_to_(seen);

    while (next != NULL && next != bound) {
        enum answer a = is_passed(next) ? IT_IS_TAKEN : ask(s, next);
        if (a == NOT_AFTER_IT)
            break;
        const uintptr_t link = follow(&next->next[i]);
        if (a == AFTER_IT) {
            before = next;
            seen = link;
        }
        next = weft_heap_led_to_(link);
    }
    at->before[i] = before;
    at->seen[i] = seen;
    at->after[i] = next;
    return before;
}

/* Find the place in all levels up to `top`, at least 1. */
static void
find(const struct search *s, struct spot *at, unsigned top)
{
    struct weft_heap_node *before = NULL;
    struct weft_heap_node *bound = NULL;

    for (unsigned i = top; i > 0; i--) {
        before = find_at(s, at, i, before, bound);
        bound = at->after[i];
    }
    if (before == NULL || is_passed(before))
        before = front_of(s->heap);
    find_below(s, at, before);
}

/* The last that is taken. */
static struct weft_heap_node *
last_taken(weft_heap *h)
{
    struct weft_heap_node *n = front_of(h);
    uintptr_t link;

    while (((link = follow(&n->next[0])) & TAKEN) != 0)
        n = weft_heap_led_to_(link);
    return n;
}

/* `n` is in level 0: link it above, as far as that goes. */
static void
link_above(weft_heap *h, struct weft_heap_node *n, const struct spot *at)
{
    struct weft_heap_node *last = NULL;

    for (unsigned i = 1; i < n->height; i++) {
        struct weft_heap_node *before = at->before[i];
        struct weft_heap_node *after = at->after[i];
        if (before != NULL) {
            if (is_passed(before))
                break;
        } else if (after != NULL) {
            if (last == NULL)
                last = last_taken(h);
            if (after == last || is_passed(after))
                break;
        }
        atomic_store_explicit(&n->next[i], (uintptr_t)after,
                              memory_order_relaxed);
        uintptr_t seen = at->seen[i];
        WEFT_SCHED_POINT_("heap.push.above");
        if (!atomic_compare_exchange_strong_explicit(
                link_of(h, before, i), &seen, (uintptr_t)n,
                memory_order_release, /* release: publish */
                memory_order_relaxed))
            break;
    }
    /* release: heap.settle */
    atomic_store_explicit(&n->linked, 1, memory_order_release);
}

/* A number that is different each time; it need not be good. */
static uint32_t
draw(void)
{
    static __thread uint32_t state __attribute__((tls_model("initial-exec")));

    if (state == 0)
        state = (uint32_t)((uintptr_t)&state >> 4) | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* The height of a new node: one more than `top` at most. */
static unsigned
draw_height(unsigned top)
{
    const uint32_t bits = draw() | 1u << 30; /* ends the count */
    const unsigned height = 1 + (unsigned)__builtin_ctz(bits) / BRANCH_BITS;

    return height <= top + 2 ? height : top + 2;
}

/* Link `n` where it belongs, which is looked for up to level `top`. */
static void
link_node(const struct search *s, struct weft_heap_node *n, unsigned top)
{
    struct spot at;

    find(s, &at, top);
    for (;;) {
        if (s->pin != NULL)
            weft_heap_pin_clear_(s->pin);
        atomic_store_explicit(&n->next[0], (uintptr_t)at.after[0],
                              memory_order_relaxed);
        uintptr_t seen = at.seen[0];
        WEFT_SCHED_POINT_("heap.push.below");
        if (atomic_compare_exchange_strong_explicit(
                &at.before[0]->next[0], &seen, (uintptr_t)n,
                memory_order_release, /* release: publish */
                memory_order_relaxed))
            break;
        find_below(s, &at, at.before[0]);
    }
    link_above(s->heap, n, &at);
}

static bool
push(weft_heap *h, void *item)
{
    struct search s = {.heap = h, .item = item};
    unsigned top = atomic_load_explicit(&h->top, memory_order_relaxed);

    if (h->key != NULL)
        s.key = h->key(item, h->ctx);
    else if ((s.pin = weft_heap_pin_take_(h)) == NULL)
        return false;

    weft_reclaim_enter_();
    struct weft_heap_node *n =
        weft_heap_node_(h->pool, draw_height(top), item, s.key);
    if (n != NULL) {
        if (n->height > top + 1) {
            top = n->height - 1u;
            /* One too low, after a race, makes searches a little longer. */
            atomic_store_explicit(&h->top, top, memory_order_relaxed);
        }
        link_node(&s, n, top);
        weft_counter_add(h->items, 1);
    }
    weft_reclaim_leave_();
    if (s.pin != NULL)
        weft_heap_pin_return_(s.pin);
    return n != NULL;
}

size_t
weft_heap_push_n_lockfree_(weft_heap *h, void *const *items, size_t n)
{
    size_t done = 0;

    while (done < n && push(h, items[done]))
        done++;
    return done;
}

/* Take the first item behind `*last`, and say how many nodes it went past. */
static bool
take(struct weft_heap_node **last, unsigned *steps)
{
    for (;; ++*steps) {
        struct weft_heap_node *n = *last;
        uintptr_t link = follow(&n->next[0]);
        if (link == 0)
            return false;
        WEFT_SCHED_POINT_("heap.pop.take");
        if ((link & TAKEN) == 0 &&
            (atomic_fetch_or_explicit(&n->next[0], TAKEN,
                                      /* acq_rel: take, publish */
                                      memory_order_acq_rel) &
             TAKEN) == 0) {
            /* It is constant now. */
            *last = weft_heap_led_to_(follow(&n->next[0]));
            return true;
        }
        *last = weft_heap_led_to_(follow(&n->next[0]));
    }
}

size_t
weft_heap_pop_n_lockfree_(weft_heap *h, void **items, size_t n)
{
    size_t done = 0;
    unsigned steps = 0;

    weft_reclaim_enter_();
    struct weft_heap_node *front = front_of(h);
    struct weft_heap_node *last = front;
    while (done < n && take(&last, &steps)) {
        items[done] = last->item;
        if (h->compare != NULL)
            weft_heap_unpin_all_(h, last);
        done++;
        steps++;
    }
    if (steps > BOUND) {
        WEFT_SCHED_POINT_("heap.pop.move");
        if (atomic_compare_exchange_strong_explicit(
                &h->front, &front, last,
                memory_order_release, /* release: heap.move */
                memory_order_relaxed))
            weft_heap_give_back_(h);
    }
    weft_reclaim_leave_();
    if (done > 0)
        weft_counter_add(h->items, -(int64_t)done);
    return done;
}

size_t
weft_heap_size_lockfree_(const weft_heap *h)
{
    const int64_t n = weft_counter_sum(h->items);

    /* A pop may be counted before the push of its item. */
    return n > 0 ? (size_t)n : 0;
}

enum weft_status
weft_heap_open_lockfree_(weft_heap *h)
{
    if (!weft_heap_pool_create_(h))
        return WEFT_NO_MEMORY;
    struct weft_heap_node *n = weft_heap_node_(h->pool, 1, NULL, 0);
    if (n == NULL)
        goto fail_node;
    if (weft_counter_create(&h->items, WEFT_COUNTER_PERCPU) != WEFT_OK)
        goto fail_counter;
    atomic_init(&n->linked, 1);
    atomic_init(&h->front, n);
    atomic_init(&h->top, 1);
    h->oldest = n;
    return WEFT_OK;

fail_counter:
    free(n);
fail_node:
    weft_heap_pool_leave_(h->pool);
    return WEFT_NO_MEMORY;
}

void
weft_heap_close_lockfree_(weft_heap *h)
{
    struct weft_heap_node *n = h->oldest;

    while (n != NULL) {
        struct weft_heap_node *next = weft_heap_led_to_(follow(&n->next[0]));
        free(n);
        n = next;
    }
    weft_heap_pool_leave_(h->pool);
    weft_heap_pins_free_(h);
    weft_counter_destroy(h->items);
}

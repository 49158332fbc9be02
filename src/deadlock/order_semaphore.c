/* SPDX-License-Identifier: MIT */
/*
 * order_semaphore.c - what a semaphore orders that began at 0.
 *
 * Who takes one for the k-th time needs k posts.  Which, is by chance; but if
 * all others have posted less than k in all, some of them are this thread's,
 * and so many of its first ones must have been.  With one thread that posts,
 * the k-th is behind its k-th post; with n that post once each, the n-th is
 * behind all.
 *
 * Posts are counted when a take is told: one that comes later could have come
 * before.  So an order may be noted that need not be, and a deadlock be missed.
 *
 * k counts the thread's own takes, and those of others that must come before.
 * More takes than posts say that some posts are not told: then this semaphore
 * orders nothing any more.
 */
#include "deadlock/order_impl.h"

#define THREADS 256 /* that post, or take: with more it orders nothing */

void
weft_order_drop_posts_(struct weft_order *o, struct weft_order_sync *s)
{
    while (s->posters != NULL) {
        struct weft_order_poster *p = s->posters;
        s->posters = p->next;
        for (uint32_t i = 0; i < p->kept; i++)
            weft_order_let_go_(o, &p->posts[i].moment);
        weft_order_give_(o, p, sizeof(*p));
    }
    while (s->takers != NULL) {
        struct weft_order_taker *t = s->takers;
        s->takers = t->next;
        weft_order_let_go_(o, &t->last);
        weft_order_give_(o, t, sizeof(*t));
    }
    s->orders = false;
}

void
weft_order_sem_begins_(struct weft_order *o, const void *semaphore,
                       uint32_t value)
{
    uint64_t signals;

    if (weft_order_is_full_(o) || !weft_order_lock_alone_(o, &signals))
        return;
    weft_order_forget_syncs_(o, (uintptr_t)semaphore, (uintptr_t)semaphore, 1);
    struct weft_order_sync *s =
        value == 0 ? weft_order_get_sync_(o, semaphore, WEFT_KIND_SEMAPHORE)
                   : NULL;
    if (s != NULL)
        s->orders = true;
    weft_order_unlock_alone_(o, signals);
}

void
weft_order_sem_shared_(struct weft_order *o, const void *semaphore)
{
    uint64_t signals;

    if (weft_order_is_full_(o) || !weft_order_lock_alone_(o, &signals))
        return;
    struct weft_order_sync *s =
        weft_order_find_sync_(o, semaphore, WEFT_KIND_SEMAPHORE);
    if (s != NULL)
        s->open = true;
    weft_order_unlock_alone_(o, signals);
}

/* The semaphore, if it orders. */
static struct weft_order_sync *
find(struct weft_order_thread *t, const void *semaphore)
{
    struct weft_order_sync *s =
        weft_order_find_sync_(t->graph, semaphore, WEFT_KIND_SEMAPHORE);

    if (s == NULL || !s->orders)
        return NULL;
    if (s->threads > THREADS ||
        atomic_load_explicit(&t->graph->blind, memory_order_relaxed)) {
        weft_order_drop_posts_(t->graph, s);
        return NULL;
    }
    return s;
}

/* --- posts ---------------------------------------------------------------- */

static struct weft_order_poster *
get_poster(struct weft_order *o, struct weft_order_sync *s,
           struct weft_order_node *n)
{
    struct weft_order_poster *p = s->posters;

    while (p != NULL && p->node != n)
        p = p->next;
    if (p != NULL)
        return p;
    p = weft_order_take_(o, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->node = n;
    p->next = s->posters;
    s->posters = p;
    s->threads++;
    return p;
}

/* The latest that was kept. */
static struct weft_order_post *
latest(struct weft_order_poster *p)
{
    if (p->kept == 0)
        return NULL;
    return &p->posts[p->kept < WEFT_ORDER_POSTS || p->turn == 0
                         ? p->kept - 1
                         : 1 + (p->turn - 1) % (WEFT_ORDER_POSTS - 1)];
}

/* Keep the posts from the one after `count` to `to`. */
static void
keep_post(struct weft_order_thread *t, struct weft_order_poster *p, uint64_t to)
{
    const struct weft_order_moment now = weft_order_now_(t->node);
    struct weft_order_post *last = latest(p);
    struct weft_order_post *at;

    if (last != NULL && !t->node->noted && last->moment.clock == now.clock) {
        last->to = to; /* nothing has happened since */
        return;
    }
    if (p->kept < WEFT_ORDER_POSTS) {
        at = &p->posts[p->kept++];
    } else {
        at = &p->posts[1 + p->turn++ % (WEFT_ORDER_POSTS - 1)];
        weft_order_let_go_(t->graph, &at->moment);
    }
    *at = (struct weft_order_post){p->count + 1, to, now};
    weft_order_keep_(&now);
}

void
weft_order_posts_(struct weft_order_thread *t, const void *semaphore,
                  uint32_t n)
{
    if (t->graph != NULL && t->inside) /* in a handler, amid a call */
        atomic_store_explicit(&t->graph->blind, true, memory_order_relaxed);
    if (!weft_order_enter_(t))
        return;
    struct weft_order_sync *s = find(t, semaphore);
    struct weft_order_poster *p =
        s != NULL ? get_poster(t->graph, s, t->node) : NULL;
    if (p != NULL) {
        keep_post(t, p, p->count + n);
        p->count += n;
        s->posted += n;
        weft_order_tick_(t);
    }
    weft_order_leave_(t);
}

/* --- takes ---------------------------------------------------------------- */

/* The thread's own, and how many must have been before `now`, of all. */
static struct weft_order_taker *
get_taker(struct weft_order *o, struct weft_order_sync *s,
          const struct weft_order_moment *now, uint64_t *before)
{
    struct weft_order_taker *mine = NULL;

    *before = 0;
    for (struct weft_order_taker *t = s->takers; t != NULL; t = t->next) {
        if (t->last.node == now->node)
            mine = t;
        if (weft_order_is_before_(&t->last, now))
            *before += t->count;
    }
    if (mine != NULL)
        return mine;
    mine = weft_order_take_(o, sizeof(*mine));
    if (mine == NULL)
        return NULL;
    mine->last = *now;
    weft_order_keep_(now);
    mine->next = s->takers;
    s->takers = mine;
    s->threads++;
    return mine;
}

/* The post of that number; or, if it was not kept, the nearest before. */
static const struct weft_order_post *
post_of(const struct weft_order_poster *p, uint64_t number)
{
    const struct weft_order_post *best = NULL;

    for (uint32_t i = 0; i < p->kept; i++)
        if (p->posts[i].from <= number &&
            (best == NULL || p->posts[i].from > best->from))
            best = &p->posts[i];
    return best;
}

/* `t` has taken it, and `k` is the least number of that take. */
static void
go_behind(struct weft_order_thread *t, const struct weft_order_sync *s,
          uint64_t k)
{
    for (const struct weft_order_poster *p = s->posters; p != NULL;
         p = p->next) {
        const uint64_t others = s->posted - p->count;
        if (others >= k)
            continue;
        const struct weft_order_post *post = post_of(p, k - others);
        if (!s->open && post->to >= k - others)
            weft_order_done_by_(t, s->object, &post->moment);
    }
    for (const struct weft_order_poster *p = s->posters; p != NULL; p = p->next)
        if (s->posted - p->count < k)
            weft_order_behind_(t,
                               &post_of(p, k - (s->posted - p->count))->moment);
}

void
weft_order_takes_(struct weft_order_thread *t, const void *semaphore)
{
    uint64_t before;

    if (!weft_order_enter_(t))
        return;
    struct weft_order_sync *s = find(t, semaphore);
    struct weft_order_moment now = weft_order_now_(t->node);
    struct weft_order_taker *mine =
        s != NULL ? get_taker(t->graph, s, &now, &before) : NULL;
    if (mine != NULL && before + 1 > s->posted) {
        weft_order_drop_posts_(t->graph, s);
    } else if (mine != NULL) {
        go_behind(t, s, before + 1);
        now = weft_order_now_(t->node);
        weft_order_keep_(&now);
        weft_order_let_go_(t->graph, &mine->last);
        mine->last = now;
        mine->count++;
    }
    weft_order_wait_over_(t);
    weft_order_leave_(t);
}

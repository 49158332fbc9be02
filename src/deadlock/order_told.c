/* SPDX-License-Identifier: MIT */
/*
 * order_told.c - conditions and events: who was told is behind who told.
 *
 * Behind all who have told it so far: a thread that counts what others have
 * done waits for each of them, and it cannot be seen which of them it needed.
 *
 * Guards.  Who looks in time finds that it need not wait.  Whether a thread
 * that locks a guard looks at what a condition is about is guessed: if a wait
 * for it has been seen, by the place at which the guard was locked, and by whether
 * it is the first time that this thread does: who begins looks at what there is.
 * Otherwise everyone looks, but one who tells the same condition before it unlocks:
 * he is one of those who are waited for.  Then his clock becomes what it was.
 *
 * A guard that a thread still holds when it tells orders when it is unlocked,
 * which is when others can see what was told.
 */
#include "deadlock/order_impl.h"

/* --- guards --------------------------------------------------------------- */

static void
unlink_told(struct weft_order_sync *s)
{
    struct weft_order_sync *g = s->guard;

    if (g == NULL)
        return;
    while (g->next_of_guard != s)
        g = g->next_of_guard;
    g->next_of_guard = s->next_of_guard;
    s->next_of_guard = NULL;
    s->guard = NULL;
}

void
weft_order_drop_told_(struct weft_order *o, struct weft_order_sync *s)
{
    if (s->kind == WEFT_KIND_MUTEX)
        while (s->next_of_guard != NULL)
            unlink_told(s->next_of_guard);
    unlink_told(s);
    if (s->last.node != NULL)
        weft_order_let_go_(o, &s->last);
}

/* Let `guard` be that of `s`. */
static void
set_guard(struct weft_order *o, struct weft_order_sync *s, const void *guard)
{
    const uint64_t bit = UINT64_C(1)
                         << (weft_order_scatter_(guard, WEFT_KIND_NONE) >> 58);

    if (guard == NULL || (s->guard != NULL && s->guard->object == guard))
        return;
    unlink_told(s);
    struct weft_order_sync *g = weft_order_get_sync_(o, guard, WEFT_KIND_MUTEX);
    if (g == NULL)
        return;
    s->guard = g;
    s->next_of_guard = g->next_of_guard;
    g->next_of_guard = s;
    atomic_fetch_or_explicit(&weft_order_guards_, bit, memory_order_relaxed);
}

static bool
listens(const struct weft_order_sync *s, uintptr_t place)
{
    for (uint32_t i = 0; i < s->listeners; i++)
        if (s->places[i] == place)
            return true;
    return s->listeners == 0 || s->listeners == WEFT_ORDER_LISTENERS;
}

void
weft_order_drop_passed_(struct weft_order *o, struct weft_order_node *n)
{
    if (n->passed == NULL)
        return;
    weft_order_drop_clock_(o, n->passed->before);
    weft_order_drop_clock_(o, n->passed->after);
    weft_order_give_(o, n->passed, sizeof(*n->passed));
    n->passed = NULL;
}

static struct weft_order_clock *
keep_clock(struct weft_order_clock *c)
{
    if (c != NULL)
        c->holders++;
    return c;
}

/* Whether the thread passes that guard for the first time, which is noted. */
static bool
is_first(struct weft_order_thread *t, struct weft_order_sync *guard)
{
    const struct weft_order_node *n = t->node;
    const struct weft_order_moment now = {.node = t->node, .time = n->time};
    const struct weft_order_moment all = {.clock = guard->clock};

    if (weft_order_reached_(&all, n) >= n->first)
        return false;
    return weft_order_merge_(t->graph, &guard->clock, &now);
}

/* Go on behind what was told under that guard, but for `but`; if it is for the
 * first time, wherever that is. */
static void
pass(struct weft_order_thread *t, const struct weft_order_sync *guard,
     uintptr_t place, const struct weft_order_sync *but, bool first)
{
    struct weft_order *o = t->graph;
    struct weft_order_node *n = t->node;
    struct weft_order_clock *before = keep_clock(n->clock);

    for (const struct weft_order_sync *s = guard->next_of_guard; s != NULL;
         s = s->next_of_guard)
        if (s != but && (first || listens(s, place)))
            weft_order_behind_all_(t, s->clock);
    weft_order_drop_passed_(o, n);
    n->passed = weft_order_take_(o, sizeof(*n->passed));
    if (n->passed == NULL) {
        weft_order_drop_clock_(o, before);
        return;
    }
    *n->passed = (struct weft_order_passed){guard->object, place, first, before,
                                            keep_clock(n->clock)};
}

void
weft_order_passes_(struct weft_order_thread *t, const void *guard,
                   const struct weft_dl_place *place)
{
    if (!weft_order_enter_(t))
        return;
    struct weft_order_sync *g =
        weft_order_find_sync_(t->graph, guard, WEFT_KIND_MUTEX);
    if (g != NULL && g->next_of_guard != NULL)
        pass(t, g, place->call[0], NULL, is_first(t, g));
    weft_order_leave_(t);
}

void
weft_order_listens_(struct weft_order_thread *t, const void *object,
                    const void *guard, const struct weft_dl_place *place)
{
    if (!weft_order_enter_(t))
        return;
    struct weft_order_sync *s =
        weft_order_get_sync_(t->graph, object, WEFT_KIND_COND);
    if (s != NULL) {
        set_guard(t->graph, s, guard);
        if (s->listeners == 0 || !listens(s, place->call[0]))
            s->places[s->listeners++] = place->call[0];
    }
    weft_order_leave_(t);
}

/* --- who tells, who is told ----------------------------------------------- */

/* `t` is one of those who tell `s`, not one who looks. */
static void
take_back(struct weft_order_thread *t, const struct weft_order_sync *s)
{
    const struct weft_order_passed *p = t->node->passed;

    if (p == NULL || s->guard == NULL || s->guard->object != p->guard ||
        (s->listeners > 0 && !p->first) || t->node->clock != p->after ||
        p->before == p->after)
        return;
    weft_order_drop_clock_(t->graph, t->node->clock);
    t->node->clock = keep_clock(p->before);
    weft_order_begin_time_(t);
    pass(t, s->guard, p->place, s, false);
}

static void
tell(struct weft_order_thread *t, struct weft_order_sync *s)
{
    const struct weft_order_moment now = weft_order_now_(t->node);

    if (!weft_order_merge_(t->graph, &s->clock, &now))
        return;
    s->open = s->open || (s->last.node != NULL && s->last.node != t->node);
    weft_order_keep_(&now);
    if (s->last.node != NULL)
        weft_order_let_go_(t->graph, &s->last);
    s->last = now;
    weft_order_tick_(t);
}

void
weft_order_tells_(struct weft_order_thread *t, const void *object,
                  const void *guard)
{
    if (!weft_order_enter_(t))
        return;
    struct weft_order_sync *s =
        weft_order_get_sync_(t->graph, object, WEFT_KIND_COND);
    if (s != NULL) {
        set_guard(t->graph, s, guard);
        take_back(t, s);
        tell(t, s);
        s->teller = guard != NULL ? t->node : NULL;
    }
    weft_order_leave_(t);
}

void
weft_order_frees_(struct weft_order_thread *t, const void *guard)
{
    if (!weft_order_enter_(t))
        return;
    const struct weft_order_sync *g =
        weft_order_find_sync_(t->graph, guard, WEFT_KIND_MUTEX);
    struct weft_order_sync *s = g != NULL ? g->next_of_guard : NULL;
    for (; s != NULL; s = s->next_of_guard)
        if (s->teller == t->node) {
            s->teller = NULL;
            tell(t, s);
        }
    weft_order_drop_passed_(t->graph, t->node);
    weft_order_leave_(t);
}

void
weft_order_told_(struct weft_order_thread *t, const void *object)
{
    if (!weft_order_enter_(t))
        return;
    const struct weft_order_sync *s =
        weft_order_find_sync_(t->graph, object, WEFT_KIND_COND);
    if (s != NULL) {
        if (!s->open && s->last.node != NULL)
            weft_order_done_by_(t, object, &s->last);
        weft_order_behind_all_(t, s->clock);
    }
    weft_order_wait_over_(t);
    weft_order_leave_(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * order_stranger.c - threads of which only is known when they first told
 * something, and when they ended.
 *
 * Whoever started it did so before it told something, and who joined it goes on
 * after its end.  Who that is, nobody knows; so it could be anyone, and the
 * stranger is put behind all moments that were noted until it began, and before
 * all that are noted after its end.  What the others do meanwhile is beside it:
 * so they have to tell again what they have told before.  All keys that they
 * know are void when a stranger begins, and the next time that a thread has the
 * lock of the graph its own time begins anew.
 *
 * What is lost: two strangers of which one ends before the other has begun; and
 * what one does alone before another begins, and never again.  What is told in
 * error: what is kept apart by means that nobody tells, as with any thread.
 */
#include "deadlock/order_impl.h"

void
weft_order_see_(struct weft_order *o, const struct weft_order_moment *m)
{
    const struct weft_order_moment alone = {.node = m->node, .time = m->time};

    weft_order_merge_(o, &o->all, &alone);
}

void
weft_order_catch_up_(struct weft_order_thread *t)
{
    t->node->strangers = t->graph->strangers;
    weft_order_tick_(t);
    weft_order_behind_all_(t, t->graph->gone);
}

/* Have all threads tell again what they know to be told. */
static void
void_what_is_known(void)
{
    for (int i = 0; i < WEFT_ORDER_LIVES; i++)
        atomic_fetch_add_explicit(&weft_order_lives_[i], 1,
                                  memory_order_relaxed);
}

void
weft_order_stranger_begins_(struct weft_order *o, struct weft_order_thread *t,
                            uint64_t id)
{
    weft_order_begins_(o, t, id);
    if (!weft_order_enter_(t))
        return;
    weft_order_behind_all_(t, o->all);
    t->node->strangers = ++o->strangers;
    void_what_is_known();
    weft_order_leave_(t);
}

void
weft_order_stranger_ends_(struct weft_order_thread *t)
{
    if (weft_order_enter_(t)) {
        const struct weft_order_moment last = weft_order_now_(t->node);
        weft_order_merge_(t->graph, &t->graph->gone, &last);
        t->graph->strangers++;
        weft_order_leave_(t);
    }
    weft_order_ends_(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * order_pass.c - locks that somebody has to pass before he comes to a moment.
 *
 * A thread that lets another go on while it holds a lock, as one that starts a
 * thread does, keeps it from passing that lock until it has given it up.  So if
 * the other has taken the lock since, what it did then comes behind all that the
 * first did with it.
 *
 *     A: lock L; start B; lock M ...         B: lock L; unlock L; lock M; lock L
 *
 * Here A holds L and wants M, and B holds M and wants L, but never at once.
 *
 * When a lock was taken is asked of the moments in which it was wanted; if too
 * many were there some are gone, and then the latest that is left counts.
 */
#include "deadlock/order_impl.h"

/* The time in which the thread of `m` took what it holds by `h`; 0: that was by a
 * try, or is not known. */
static uint64_t
taken_at(const struct weft_order_stack *h, const struct weft_order_moment *m,
         uint32_t *looked)
{
    const struct weft_order_moment *last = NULL;

    for (const struct weft_order_combination *c = h->lock->wanted; c != NULL;
         c = c->next_wanted, ++*looked)
        for (uint32_t i = 0;
             i < c->count && c->place == h->place && c->kind == h->kind; i++)
            if (c->moments[i].node == m->node && c->moments[i].turn < m->turn &&
                (last == NULL || last->turn < c->moments[i].turn))
                last = &c->moments[i];
    return last != NULL ? last->time : 0;
}

/* Whether somebody, who was behind that time of that thread, took the lock
 * before `b`. */
static bool
was_passed(const struct weft_order_stack *h, const struct weft_order_node *n,
           uint64_t time, const struct weft_order_moment *b, uint32_t *looked)
{
    for (const struct weft_order_combination *c = h->lock->wanted; c != NULL;
         c = c->next_wanted, ++*looked)
        for (uint32_t i = 0;
             i < c->count && weft_order_conflict_(c->kind, h->kind); i++) {
            const struct weft_order_moment *m = &c->moments[i];
            if (m->node != n && weft_order_reached_(m, n) >= time &&
                (m->node == b->node ? m->turn < b->turn
                                    : weft_order_is_before_(m, b)))
                return true;
        }
    return false;
}

/* Whether `a`, at which these are held, comes before `b`. */
static bool
is_before(const struct weft_order_stack *held,
          const struct weft_order_moment *a, const struct weft_order_moment *b,
          uint32_t *looked)
{
    const uint64_t reached = weft_order_reached_(b, a->node);

    for (; reached > 0 && held->outer != NULL; held = held->outer) {
        const uint64_t time = taken_at(held, a, looked);
        if (time > 0 && reached >= time &&
            was_passed(held, a->node, time, b, looked))
            return true;
    }
    return false;
}

bool
weft_order_go_together_(struct weft_order_combination *const *c,
                        const struct weft_order_moment *at, uint32_t n,
                        uint32_t *looked)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            if (i != k && is_before(c[i]->held, &at[i], &at[k], looked))
                return false;
    return true;
}

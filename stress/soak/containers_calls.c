/* SPDX-License-Identifier: MIT */
/*
 * containers_calls.c - one call of a container, and what it may answer.
 */
#include "soak/containers.h"

/* What must stay as it is where nothing comes out. */
#define UNTOUCHED ((void *)(uintptr_t)0x5afe5afe5afe5af0)

static struct soak_case *
case_of(const struct soak_hand *h)
{
    return h->state;
}

static const struct soak_container_ops *
ops_of(const struct soak_hand *h)
{
    return h->run->subject->ops;
}

static bool
may_be_closed(const struct soak_hand *h)
{
    return case_of(h)->closing;
}

bool
soak_push(struct soak_hand *h, size_t n)
{
    const struct soak_container_ops *ops = ops_of(h);
    struct soak_book *b = &case_of(h)->books[h->index];
    void *const c = case_of(h)->container;
    void *items[SOAK_BATCH];
    size_t done = 0;

    for (size_t i = 0; i < n; i++)
        items[i] = soak_item(h, b->pushed + 1 + i);
    atomic_store_explicit(&b->announced, b->pushed + n, memory_order_relaxed);
    if (n == 1) {
        soak_at(h, "push");
        const enum weft_status status = ops->push(c, items[0]);
        done = status == WEFT_OK;
        if (status != WEFT_OK && (status != WEFT_FULL || !ops->bounded) &&
            (status != WEFT_CLOSED || !may_be_closed(h)))
            soak_fault(h->run, "push returned %s", weft_status_name(status));
    } else {
        soak_at(h, "push_n");
        done = ops->push_n(c, items, n);
        if (done > n || (done < n && !ops->bounded && !may_be_closed(h)))
            soak_fault(h->run, "push_n of %zu returned %zu", n, done);
    }
    soak_went_in(h, items, done < n ? done : n);
    for (size_t i = done; i < n; i++)
        soak_item_back(items[i]);
    return done == n;
}

static bool
take_one(struct soak_hand *h, const char *call,
         enum weft_status (*take)(void *c, void **item),
         struct soak_trail *trail, enum soak_order order)
{
    const bool steal = take == ops_of(h)->steal;
    void *item = UNTOUCHED;

    soak_at(h, call);
    const enum weft_status status = take(case_of(h)->container, &item);
    if (status == WEFT_OK) {
        soak_came_out(h, item, trail, order);
        return true;
    }
    if (status != WEFT_EMPTY && !(steal && status == WEFT_BUSY) &&
        !(status == WEFT_CLOSED && may_be_closed(h)))
        soak_fault(h->run, "%s returned %s", call, weft_status_name(status));
    else if (item != UNTOUCHED)
        soak_fault(h->run, "%s returned %s and wrote an item", call,
                   weft_status_name(status));
    return false;
}

bool
soak_pop(struct soak_hand *h, size_t n, struct soak_trail *trail,
         enum soak_order order)
{
    const struct soak_container_ops *ops = ops_of(h);
    void *items[SOAK_BATCH];

    if (n == 1)
        return take_one(h, "pop", ops->pop, trail, order);
    for (size_t i = 0; i < SOAK_BATCH; i++)
        items[i] = UNTOUCHED;
    soak_at(h, "pop_n");
    const size_t done = ops->pop_n(case_of(h)->container, items, n);
    if (done > n)
        soak_fault(h->run, "pop_n of %zu returned %zu", n, done);
    for (size_t i = 0; i < SOAK_BATCH && !soak_has_failed(h); i++)
        if (i < done)
            soak_came_out(h, items[i], trail, order);
        else if (items[i] != UNTOUCHED)
            soak_fault(h->run, "pop_n returned %zu and wrote more", done);
    return done > 0;
}

bool
soak_steal(struct soak_hand *h, struct soak_trail *trail)
{
    return take_one(h, "steal", ops_of(h)->steal, trail, SOAK_FIFO);
}

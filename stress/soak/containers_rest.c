/* SPDX-License-Identifier: MIT */
/*
 * containers_rest.c - what holds of a container while nobody uses it but the
 * one who looks.
 */
#include "soak/containers.h"

static const struct soak_container_ops *
ops_of(const struct soak_hand *h)
{
    return h->run->subject->ops;
}

static void
add_up(const struct soak_hand *h, struct soak_sum *in, struct soak_sum *out)
{
    const struct soak_case *s = h->state;

    *in = *out = (struct soak_sum){.count = 0};
    for (unsigned i = 0; i < h->count; i++) {
        const struct soak_book *b = &s->books[i];
        in->count += b->in.count;
        in->nulls += b->in.nulls;
        in->hash += b->in.hash;
        out->count += b->out.count;
        out->nulls += b->out.nulls;
        out->hash += b->out.hash;
    }
}

/* How many must be in it. */
static size_t
count_left(const struct soak_hand *h)
{
    struct soak_sum in;
    struct soak_sum out;

    add_up(h, &in, &out);
    return (size_t)(in.count - out.count);
}

static void
check_size(struct soak_hand *h)
{
    const struct soak_case *s = h->state;

    if (ops_of(h)->size == NULL || soak_has_failed(h))
        return;
    const size_t size = ops_of(h)->size(s->container);
    const size_t left = count_left(h);
    if (size != left)
        soak_fault(h->run, "at rest its size is %zu, and %zu are in it", size,
                   left);
    if (ops_of(h)->complaint == NULL)
        return;
    const char *wrong = ops_of(h)->complaint(
        s->container, left, ops_of(h)->bounded ? s->capacity : 0);
    if (wrong != NULL)
        soak_fault(h->run, "at rest %s", wrong);
}

/* As much goes in as there is room, and no more. */
static void
fill(struct soak_hand *h)
{
    const struct soak_case *s = h->state;

    while (!soak_has_failed(h) && soak_push(h, 1))
        ;
    const size_t left = count_left(h);
    if (!soak_has_failed(h) && left != s->capacity)
        soak_fault(h->run, "it is full with %zu, and its capacity is %zu", left,
                   s->capacity);
}

/* What is left leaves in its order. */
static void
empty(struct soak_hand *h)
{
    const struct soak_container_ops *ops = ops_of(h);
    struct soak_trail trail = {.key = 0};
    const bool batch = ops->pop_n != NULL && soak_one_in(h, 2);
    const bool steal = ops->steal != NULL && soak_one_in(h, 2);

    if (steal)
        while (!soak_has_failed(h) && soak_steal(h, &trail))
            ;
    else
        while (!soak_has_failed(h) &&
               soak_pop(h, batch ? 1 + soak_below(h, SOAK_BATCH) : 1, &trail,
                        ops->order))
            ;
    check_size(h);
}

struct leaving {
    struct soak_hand *h;
    struct soak_trail trail;
};

static void
drop(void *item, void *ctx)
{
    struct leaving *l = ctx;

    if (!soak_has_failed(l->h))
        soak_came_out(l->h, item, &l->trail, ops_of(l->h)->order);
}

static void
destroy(struct soak_hand *h)
{
    struct soak_case *s = h->state;
    struct leaving l = {.h = h};

    ops_of(h)->destroy(s->container, drop, &l);
    s->container = NULL;
}

/* Nothing is in it: what came out is what went in. */
static void
check_sums(struct soak_hand *h)
{
    struct soak_sum in;
    struct soak_sum out;

    add_up(h, &in, &out);
    if (in.count > out.count)
        soak_fault(h->run, "%llu of %llu items are lost",
                   (unsigned long long)(in.count - out.count),
                   (unsigned long long)in.count);
    else if (in.count < out.count)
        soak_fault(h->run, "%llu items went in, and %llu more came out",
                   (unsigned long long)in.count,
                   (unsigned long long)(out.count - in.count));
    else if (in.nulls != out.nulls || in.hash != out.hash)
        soak_fault(h->run, "what came out is not what went in");
}

static void
open_round(struct soak_hand *h)
{
    static const size_t capacities[] = {1, 2, 3, 7, 8, 64, 1000};
    struct soak_case *s = h->state;

    s->tide = 2 + soak_below(h, 5);
    s->turns = 100u << soak_below(h, 8);
    if (s->container != NULL)
        return;
    s->capacity =
        capacities[soak_below(h, sizeof(capacities) / sizeof(capacities[0]))];
    const enum weft_status status =
        ops_of(h)->create(&s->container, s->capacity, ops_of(h)->kind);
    if (status != WEFT_OK)
        soak_fault(h->run, "create returned %s", weft_status_name(status));
}

void
soak_settle(struct soak_hand *h)
{
    struct soak_case *s = h->state;

    soak_at(h, "what holds at rest");
    if (s->container != NULL) {
        check_size(h);
        if (ops_of(h)->bounded && !s->closing && soak_one_in(h, 2))
            fill(h);
        if (soak_one_in(h, 2))
            empty(h);
        if (!soak_has_failed(h) &&
            (s->closing || !soak_goes_on(h) || soak_one_in(h, 2)))
            destroy(h);
        if (!soak_has_failed(h) && s->container == NULL)
            check_sums(h);
    }
    s->over = !soak_goes_on(h);
    s->closing = false;
    if (s->over)
        return;
    open_round(h);
    if (ops_of(h)->opened != NULL && !soak_has_failed(h))
        ops_of(h)->opened(h);
}

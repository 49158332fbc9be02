/* SPDX-License-Identifier: MIT */
/*
 * containers_ring.c - the ring, its three forms.
 */
#include <weft/ring.h>

#include "soak/containers.h"

static enum weft_status
create(void **out, size_t capacity, int kind)
{
    weft_ring *c = NULL;
    const enum weft_status status =
        weft_ring_create(&c, capacity, (enum weft_impl)kind);

    *out = c;
    return status;
}

static void
destroy(void *c, void (*drop)(void *item, void *ctx), void *ctx)
{
    weft_ring_destroy_with(c, drop, ctx);
}

static enum weft_status
push(void *c, void *item)
{
    return weft_ring_push(c, item);
}

static enum weft_status
pop(void *c, void **item)
{
    return weft_ring_pop(c, item);
}

static size_t
push_n(void *c, void *const *items, size_t n)
{
    return weft_ring_push_n(c, items, n);
}

static size_t
pop_n(void *c, void **items, size_t n)
{
    return weft_ring_pop_n(c, items, n);
}

static size_t
size(const void *c)
{
    return weft_ring_size(c);
}

#define OPS                                                          \
    .create = create, .destroy = destroy, .push = push, .pop = pop,  \
    .push_n = push_n, .pop_n = pop_n, .size = size, .bounded = true, \
    .order = SOAK_FIFO, .sides = SOAK_ANYBODY

static const struct soak_container_ops lockfree = {OPS, .kind = WEFT_LOCKFREE};
static const struct soak_container_ops lockless = {OPS, .kind = WEFT_LOCKLESS};
static const struct soak_container_ops mutex = {OPS, .kind = WEFT_MUTEX};

const struct soak_subject soak_ring_lockfree = {
    .name = "ring/lockfree", .ops = &lockfree, SOAK_CONTAINER};
const struct soak_subject soak_ring_lockless = {
    .name = "ring/lockless", .ops = &lockless, SOAK_CONTAINER};
const struct soak_subject soak_ring_mutex = {
    .name = "ring/mutex", .ops = &mutex, SOAK_CONTAINER};

/* SPDX-License-Identifier: MIT */
/*
 * containers_heap.c - the heap, its two forms, by a key and by comparison.
 */
#include <weft/heap.h>

#include "soak/containers_wrap.h"

/* clang-format off */
SOAK_WRAP(heap)
SOAK_WRAP_BATCHES(heap)
/* clang-format on */

static int64_t
key(const void *item, void *ctx)
{
    (void)ctx;
    return soak_item_key(item);
}

static int
compare(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return (int)soak_item_key(a) - (int)soak_item_key(b);
}

static enum weft_status
create(void **out, size_t capacity, int kind)
{
    weft_heap *h = NULL;
    const enum weft_status status =
        weft_heap_create(&h, compare, NULL, (enum weft_impl)kind);

    (void)capacity;
    *out = h;
    return status;
}

static enum weft_status
create_keyed(void **out, size_t capacity, int kind)
{
    weft_heap *h = NULL;
    const enum weft_status status =
        weft_heap_create_keyed(&h, key, NULL, (enum weft_impl)kind);

    (void)capacity;
    *out = h;
    return status;
}

#define OPS(create_)                                                 \
    .create = create_, .destroy = destroy, .push = push, .pop = pop, \
    .size = size, SOAK_BATCHES, .order = SOAK_SORTED

static const struct soak_container_ops lockfree = {OPS(create),
                                                   .kind = WEFT_LOCKFREE};
static const struct soak_container_ops mutex = {OPS(create),
                                                .kind = WEFT_MUTEX};
static const struct soak_container_ops keyed_lockfree = {OPS(create_keyed),
                                                         .kind = WEFT_LOCKFREE};
static const struct soak_container_ops keyed_mutex = {OPS(create_keyed),
                                                      .kind = WEFT_MUTEX};

const struct soak_subject soak_heap_compare_lockfree = {
    .name = "heap/compare/lockfree", .ops = &lockfree, SOAK_CONTAINER};
const struct soak_subject soak_heap_compare_mutex = {
    .name = "heap/compare/mutex", .ops = &mutex, SOAK_CONTAINER};
const struct soak_subject soak_heap_keyed_lockfree = {
    .name = "heap/keyed/lockfree", .ops = &keyed_lockfree, SOAK_CONTAINER};
const struct soak_subject soak_heap_keyed_mutex = {
    .name = "heap/keyed/mutex", .ops = &keyed_mutex, SOAK_CONTAINER};

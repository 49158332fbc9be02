/* SPDX-License-Identifier: MIT */
/*
 * containers_deque.c - the deque: an owner, who changes now and then, and
 * thieves.
 */
#include <weft/deque.h>

#include "soak/containers_wrap.h"

/* clang-format off */
SOAK_WRAP(deque)
/* clang-format on */

static enum weft_status
create(void **out, size_t capacity, int kind)
{
    weft_deque *d = NULL;
    const enum weft_status status = weft_deque_create(&d);

    (void)capacity;
    (void)kind;
    *out = d;
    return status;
}

static enum weft_status
steal(void *c, void **item)
{
    return weft_deque_steal(c, item);
}

static const struct soak_container_ops ops = {
    SOAK_CALLS, .steal = steal, .order = SOAK_LIFO, .sides = SOAK_ONE_OWNER};

const struct soak_subject soak_deque = {
    .name = "deque", .ops = &ops, SOAK_CONTAINER};

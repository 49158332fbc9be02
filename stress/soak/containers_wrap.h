/* SPDX-License-Identifier: MIT */
/*
 * containers_wrap.h - the calls of a container with the container as void *.
 * In a macro, for the name of the type is part of each call's:
 *
 *       SOAK_WRAP(ring)
 *       SOAK_WRAP_BATCHES(ring)
 */
#ifndef STRESS_SOAK_CONTAINERS_WRAP_H
#define STRESS_SOAK_CONTAINERS_WRAP_H

#include "soak/containers.h"

#define SOAK_WRAP(type)                                               \
    static void destroy(void *c, void (*drop)(void *item, void *ctx), \
                        void *ctx)                                    \
    {                                                                 \
        weft_##type##_destroy_with(c, drop, ctx);                     \
    }                                                                 \
    static enum weft_status push(void *c, void *item)                 \
    {                                                                 \
        return weft_##type##_push(c, item);                           \
    }                                                                 \
    static enum weft_status pop(void *c, void **item)                 \
    {                                                                 \
        return weft_##type##_pop(c, item);                            \
    }                                                                 \
    static size_t size(const void *c)                                 \
    {                                                                 \
        return weft_##type##_size(c);                                 \
    }

#define SOAK_WRAP_BATCHES(type)                                 \
    static size_t push_n(void *c, void *const *items, size_t n) \
    {                                                           \
        return weft_##type##_push_n(c, items, n);               \
    }                                                           \
    static size_t pop_n(void *c, void **items, size_t n)        \
    {                                                           \
        return weft_##type##_pop_n(c, items, n);                \
    }

/* How bounded and unbounded ones are made. */
#define SOAK_WRAP_BOUNDED(type)                                           \
    static enum weft_status create(void **out, size_t capacity, int kind) \
    {                                                                     \
        weft_##type *c = NULL;                                            \
        const enum weft_status status =                                   \
            weft_##type##_create(&c, capacity, (enum weft_impl)kind);     \
        *out = c;                                                         \
        return status;                                                    \
    }
#define SOAK_WRAP_UNBOUNDED(type)                                         \
    static enum weft_status create(void **out, size_t capacity, int kind) \
    {                                                                     \
        weft_##type *c = NULL;                                            \
        const enum weft_status status =                                   \
            weft_##type##_create(&c, (enum weft_impl)kind);               \
        (void)capacity;                                                   \
        *out = c;                                                         \
        return status;                                                    \
    }

#define SOAK_CALLS \
    .create = create, .destroy = destroy, .push = push, .pop = pop, .size = size
#define SOAK_BATCHES .push_n = push_n, .pop_n = pop_n

#endif /* STRESS_SOAK_CONTAINERS_WRAP_H */

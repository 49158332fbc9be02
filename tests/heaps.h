/* SPDX-License-Identifier: MIT */
/*
 * heaps.h - every kind of heap that a test runs over: each form, with a key
 * and with a compare function.
 */
#ifndef TESTS_HEAPS_H
#define TESTS_HEAPS_H

#include <stdint.h>
#include <stdlib.h>

#include <weft/heap.h>

#include "testing.h"

#define HEAPS 6 /* _i: the form, twice */

/* An item that says where it belongs and when it came. */
struct thing {
    int64_t key;
    unsigned owner;
    unsigned number;
};

static inline int64_t
thing_key(const void *item, void *ctx)
{
    (void)ctx;
    return item == NULL ? 0 : ((const struct thing *)item)->key;
}

static inline int
thing_compare(const void *a, const void *b, void *ctx)
{
    const int64_t x = thing_key(a, ctx);
    const int64_t y = thing_key(b, ctx);

    return x < y ? -1 : x > y;
}

static inline enum weft_impl
form_of(int i)
{
    return (enum weft_impl)(i / 2);
}

static inline bool
is_keyed(int i)
{
    return i % 2 == 0;
}

static inline enum weft_status
try_heap(weft_heap **out, int i)
{
    if (is_keyed(i))
        return weft_heap_create_keyed(out, thing_key, NULL, form_of(i));
    return weft_heap_create(out, thing_compare, NULL, form_of(i));
}

static inline weft_heap *
new_heap(int i)
{
    weft_heap *h = NULL;

    ck_assert_int_eq(try_heap(&h, i), WEFT_OK);
    return h;
}

static inline struct thing *
pop_thing(weft_heap *h)
{
    void *item = h;

    ck_assert_int_eq(weft_heap_pop(h, &item), WEFT_OK);
    return item;
}

#endif /* TESTS_HEAPS_H */

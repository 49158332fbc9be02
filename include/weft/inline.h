/* SPDX-License-Identifier: MIT */
/*
 * inline.h - what the inline parts of other headers stand on; nothing in it is
 * for users.
 *
 * A function that a header inlines is an exported symbol too: its body here
 * only serves the optimizer, and a caller who takes its address, or compiles
 * without optimization or with WEFT_NO_INLINE, gets the library's.
 */
#ifndef WEFT_INLINE_H
#define WEFT_INLINE_H

#include <stdint.h>

#include <weft/base.h>

/* Atomics that both languages can read; `order` is the last word of a
 * memory_order.  A compare-and-swap that fails orders nothing. */
#ifdef __cplusplus
#define WEFT_ATOMIC(T)        T
#define WEFT_ORDER_relaxed    __ATOMIC_RELAXED
#define WEFT_ORDER_acquire    __ATOMIC_ACQUIRE
#define WEFT_ORDER_release    __ATOMIC_RELEASE
#define WEFT_LOAD_(at, order) __atomic_load_n((at), WEFT_ORDER_##order)
#define WEFT_STORE_(at, value, order) \
    __atomic_store_n((at), (value), WEFT_ORDER_##order)
#define WEFT_CAS_(at, expected, desired, order)                     \
    __atomic_compare_exchange_n((at), (expected), (desired), false, \
                                WEFT_ORDER_##order, __ATOMIC_RELAXED)
#else
#include <stdatomic.h>
#define WEFT_ATOMIC(T)        _Atomic(T)
#define WEFT_LOAD_(at, order) atomic_load_explicit((at), memory_order_##order)
#define WEFT_STORE_(at, value, order) \
    atomic_store_explicit((at), (value), memory_order_##order)
#define WEFT_CAS_(at, expected, desired, order)                          \
    atomic_compare_exchange_strong_explicit((at), (expected), (desired), \
                                            memory_order_##order,        \
                                            memory_order_relaxed)
#endif

/* The body of an exported function, for inlining only. */
#define WEFT_INLINE extern inline __attribute__((gnu_inline))

WEFT_BEGIN_DECLS

/*
 * The word that stands for the calling thread in locks: a multiple of 8, so
 * that three bits are free for flags; 0 means "not known, or watched: take the
 * slow way".  src/base/self.h has the rest.
 */
WEFT_API extern __thread WEFT_ATOMIC(uint32_t) weft_self_
    __attribute__((tls_model("initial-exec")));

WEFT_END_DECLS

#endif /* WEFT_INLINE_H */

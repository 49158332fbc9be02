/* SPDX-License-Identifier: MIT */
/*
 * base/pair.h - a pointer and a word that change together.
 *
 * The one place where C11 atomics are not enough: for an atomic of 16 bytes
 * gcc calls libatomic, which may lock.  The __sync built-in becomes one
 * instruction on x86-64 (cmpxchg16b; the makefile passes -mcx16) and an
 * exclusive or CASP loop on aarch64.
 *
 * The halves are C11 atomics and are also used alone.  Accesses of different
 * sizes to one pair are outside C11; both architectures order them as one
 * would expect as long as no access straddles the pair (Flur et al.,
 * Mixed-size Concurrency: ARM, POWER, C/C++11, and SC, POPL 2017).
 *
 * ThreadSanitizer puts two plain stores in the place of the instruction, low
 * half first, and knows what the pair orders by the address of its low half.
 * Hence the pointer is the low half, so that who sees a new stamp sees its
 * pointer; and who uses a pointer he has read has taken it with a replacement
 * of the pair, or loaded it with acquire.
 */
#ifndef WEFT_BASE_PAIR_H
#define WEFT_BASE_PAIR_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_pair {
    alignas(16) _Atomic(void *) item; /* the low half */
    _Atomic uint64_t stamp;
};

_Static_assert(sizeof(struct weft_pair) == 16 &&
                   offsetof(struct weft_pair, stamp) == 8 &&
                   __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "weft_pair_wide_ puts the halves where the struct has them");

__extension__ typedef unsigned __int128 weft_wide_ __attribute__((may_alias));

static inline weft_wide_
weft_pair_wide_(const void *item, uint64_t stamp)
{
    return (weft_wide_)stamp << 64 | (uintptr_t)item;
}

/*
 * If `*pair` is {old_item, old_stamp}, make it {item, stamp} and return true.
 * `order` is what the caller needs; what it gets is a full barrier.
 */
static inline bool
weft_pair_replace_(struct weft_pair *pair, void *old_item, uint64_t old_stamp,
                   void *item, uint64_t stamp, memory_order order)
{
    (void)order;
    return __sync_bool_compare_and_swap((weft_wide_ *)(void *)pair,
                                        weft_pair_wide_(old_item, old_stamp),
                                        weft_pair_wide_(item, stamp));
}

#endif /* WEFT_BASE_PAIR_H */

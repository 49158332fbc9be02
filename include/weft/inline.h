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

#ifdef __cplusplus
#define WEFT_ATOMIC(T) T
#else
#include <stdatomic.h>
#define WEFT_ATOMIC(T) _Atomic(T)
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

/* SPDX-License-Identifier: MIT */
/*
 * base/percpu_aarch64.h - per-CPU cells by restartable sequences on aarch64.
 *
 * base/percpu_x86_64.h has the argument; the steps are the same.  Here the
 * addition is a load, an add and the store that commits: a thread that loses
 * the CPU between them never reaches the store.  Threads that follow each
 * other on a CPU see each other's stores, because the kernel's switch orders
 * them.
 */
#ifndef WEFT_BASE_PERCPU_PORT_H
#define WEFT_BASE_PERCPU_PORT_H

#include <stddef.h>

#include <sys/rseq.h>

#include "base/percpu.h"

_Static_assert(sizeof(struct weft_percpu_cell) == 1 << 6, "lsl #6");

/* Return whether this process may use add_owned. */
static inline bool
owned_works(void)
{
    return __rseq_size > 0;
}

/*
 * Add `n` to the owned word of this CPU, if its number is below `by_cpu` and
 * nothing interrupts; otherwise return false, having added nothing.
 */
static inline bool
add_owned(struct weft_percpu_cell *cells, unsigned by_cpu, int64_t n)
{
    char *rseq = (char *)__builtin_thread_pointer() + __rseq_offset;

    __asm__ goto(".pushsection __rseq_cs, \"aw\"\n\t"
                 ".balign 32\n"
                 "3:\t.long 0, 0\n\t" /* version, flags */
                 ".quad 1f, 2f - 1f, 4f\n\t"
                 ".popsection\n\t"

                 "adrp x16, 3b\n\t"
                 "add x16, x16, :lo12:3b\n\t"
                 "str x16, [%[rseq], %[rseq_cs]]\n"
                 "1:\t"
                 "ldr w16, [%[rseq], %[cpu_id]]\n\t"
                 "cmp w16, %w[by_cpu]\n\t"
                 "b.hs 5f\n\t"
                 "add x16, %[cells], x16, lsl #6\n\t"
                 "ldr x17, [x16]\n\t"
                 "add x17, x17, %[n]\n\t"
                 "str x17, [x16]\n"
                 "2:\t"
                 "str xzr, [%[rseq], %[rseq_cs]]\n\t"

                 ".subsection 1\n"
                 "5:\t"
                 "str xzr, [%[rseq], %[rseq_cs]]\n\t"
                 "b %l[elsewhere]\n\t"
                 ".inst %c[signature]\n"
                 "4:\t"
                 "b %l[elsewhere]\n\t"
                 ".previous"
                 :
                 : [rseq] "r"(rseq), [cells] "r"(cells), [by_cpu] "r"(by_cpu),
                   [n] "r"(n), [cpu_id] "i"(offsetof(struct rseq, cpu_id)),
                   [rseq_cs] "i"(offsetof(struct rseq, rseq_cs)),
                   [signature] "i"(RSEQ_SIG_CODE)
                 : "x16", "x17", "cc", "memory"
                 : elsewhere);
    return true;

elsewhere:
    return false;
}

#endif /* WEFT_BASE_PERCPU_PORT_H */

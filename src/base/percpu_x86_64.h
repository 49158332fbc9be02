/* SPDX-License-Identifier: MIT */
/*
 * base/percpu_x86_64.h - per-CPU cells by restartable sequences on x86-64.
 *
 * The C library has registered a struct rseq for each thread.  A sequence is
 * announced there with a descriptor: from where to where it goes, and where to
 * go on if the kernel had to step in between (preemption, migration, signal).
 * The C library's manual, "Restartable Sequences", and <linux/rseq.h> say how:
 *
 *     - the store of the descriptor is the last instruction before the
 *       sequence, so that whoever is interrupted behind it is inside;
 *     - the last instruction of the sequence commits, and is its only store;
 *     - the handler follows the signature, here as an operand of ud1;
 *     - the kernel clears the pointer when it breaks a sequence off.
 *
 * The handler does not start again: it goes elsewhere, to the atomic word.
 * That bounds the steps of an addition, also under a debugger that stops after
 * each instruction and would break off each attempt.
 *
 * A thread that is not registered has a CPU number below 0, which as unsigned
 * is beyond every table: no check of its own.
 *
 * The pointer is cleared behind the sequence.  The kernel would do so lazily,
 * the next time it interrupts the thread, but only by reading the descriptor,
 * and dlclose may have unmapped it by then: the thread would be killed.
 */
#ifndef WEFT_BASE_PERCPU_PORT_H
#define WEFT_BASE_PERCPU_PORT_H

#include <stddef.h>

#include <sys/rseq.h>

#include "base/percpu.h"

_Static_assert(sizeof(struct weft_percpu_cell) == 1 << 6, "shl $6");

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
    __asm__ goto(
        ".pushsection __rseq_cs, \"aw\"\n\t"
        ".balign 32\n"
        "3:\t.long 0, 0\n\t" /* version, flags */
        ".quad 1f, 2f - 1f, 4f\n\t"
        ".popsection\n\t"

        "leaq 3b(%%rip), %%rax\n\t"
        "movq %%rax, %%fs:%c[rseq_cs](%[rseq])\n"
        "1:\t"
        "movl %%fs:%c[cpu_id](%[rseq]), %%eax\n\t"
        "cmpl %[by_cpu], %%eax\n\t"
        "jae 5f\n\t"
        "shlq $6, %%rax\n\t"
        "addq %[n], (%[cells], %%rax)\n"
        "2:\t"
        "movq $0, %%fs:%c[rseq_cs](%[rseq])\n\t"

        ".subsection 1\n"
        "5:\t"
        "movq $0, %%fs:%c[rseq_cs](%[rseq])\n\t"
        "jmp %l[elsewhere]\n\t"
        ".byte 0x0f, 0xb9, 0x3d\n\t"
        ".long %c[signature]\n"
        "4:\t"
        "jmp %l[elsewhere]\n\t"
        ".previous"
        :
        : [rseq] "r"(__rseq_offset), [cells] "r"(cells), [by_cpu] "r"(by_cpu),
          [n] "r"(n), [cpu_id] "i"(offsetof(struct rseq, cpu_id)),
          [rseq_cs] "i"(offsetof(struct rseq, rseq_cs)),
          [signature] "i"(RSEQ_SIG)
        : "rax", "cc", "memory"
        : elsewhere);
    return true;

elsewhere:
    return false;
}

#endif /* WEFT_BASE_PERCPU_PORT_H */

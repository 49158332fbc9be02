/* SPDX-License-Identifier: MIT */
/*
 * base/fence.h - a store-then-load agreement in which one side pays for both.
 *
 *   idea       two threads each store a word and then load the other's; at
 *              least one has to see the other's store.  Instead of a fence in
 *              both, the rare side asks the kernel to fence every running
 *              thread of the process (membarrier), and the frequent side only
 *              keeps the compiler from swapping the two.
 *   source     Mathieu Desnoyers, membarrier(2), Linux 4.14
 *
 *       store(&mine, 1);                    store(&theirs, 1);
 *       weft_fence_light_();                weft_fence_heavy_();
 *       load(&theirs);                      load(&mine);
 *
 *     fence.agreement    one side stores        ->  the other loads it
 */
#ifndef WEFT_BASE_FENCE_H
#define WEFT_BASE_FENCE_H

#include <stdatomic.h>
#include <stdbool.h>

/* Whether the system can; if not, neither call may be relied on. */
bool weft_fence_is_there_(void);

/* The frequent side: no instruction. */
static inline void
weft_fence_light_(void)
{
    atomic_signal_fence(memory_order_seq_cst); /* seq_cst: fence.agreement */
}

/*
 * The rare side.
 *
 *   ordering   each other thread has either not come to its light fence, and
 *              will see what this thread stored before; or it has passed it,
 *              and this thread sees what it stored before
 *   cost       a system call that interrupts the other CPUs that run threads of
 *              this process: microseconds
 */
void weft_fence_heavy_(void);

#endif /* WEFT_BASE_FENCE_H */

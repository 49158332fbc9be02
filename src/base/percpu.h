/* SPDX-License-Identifier: MIT */
/*
 * base/percpu.h - a table of cells, one per CPU of the machine, that any
 * thread adds to.
 *
 * Each cell has two words, because there are two ways to reach it:
 *
 *     owned    one ordinary addition, inside a restartable sequence that the
 *              kernel breaks off when the thread leaves the CPU; nobody but
 *              the CPU of that number ever writes it
 *     shared   an atomic addition from anywhere, striped by thread: where the
 *              system has no restartable sequences, on a CPU whose number is
 *              beyond the table, and for an addition that was broken off
 *
 * What the table holds is the sum of all words.  The words carry no order:
 * who must see an addition has it happen before the load, and coherence of
 * the one word does the rest.
 *
 * base/percpu_port.h is the part that differs by platform; configure links it
 * to one of percpu_x86_64.h, percpu_aarch64.h and percpu_striped.h, each with
 *
 *     static inline bool owned_works(void);
 *     static inline bool add_owned(struct weft_percpu_cell *cells,
 *                                  unsigned by_cpu, int64_t n);
 *
 * add_owned says whether it added; false leaves the table as it was.
 */
#ifndef WEFT_BASE_PERCPU_H
#define WEFT_BASE_PERCPU_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cacheline.h"

struct weft_percpu_cell {
    alignas(WEFT_CACHE_LINE) _Atomic int64_t owned;
    _Atomic int64_t shared;
};

/* Return how many cells a table needs: the highest CPU number and one. */
unsigned weft_percpu_count_(void);

/*
 * Return the highest number in a list of CPUs as the kernel writes it,
 * "0-3,8-11", plus one; 0 if `list` is not such a list.
 */
unsigned weft_percpu_parse_(const char *list);

/* Add `n` to the shared word of one of `count` cells, at least 1. */
void weft_percpu_add_shared_(struct weft_percpu_cell *cells, unsigned count,
                             int64_t n);

#endif /* WEFT_BASE_PERCPU_H */

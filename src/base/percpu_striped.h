/* SPDX-License-Identifier: MIT */
/*
 * base/percpu_striped.h - per-CPU cells where there are no restartable
 * sequences: every addition goes to a shared word.
 */
#ifndef WEFT_BASE_PERCPU_PORT_H
#define WEFT_BASE_PERCPU_PORT_H

#include "base/percpu.h"

/* Return whether this process may use add_owned. */
static inline bool
owned_works(void)
{
    return false;
}

static inline bool
add_owned(struct weft_percpu_cell *cells, unsigned by_cpu, int64_t n)
{
    (void)cells, (void)by_cpu, (void)n;
    return false;
}

#endif /* WEFT_BASE_PERCPU_PORT_H */

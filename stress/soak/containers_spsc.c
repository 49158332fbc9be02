/* SPDX-License-Identifier: MIT */
/*
 * containers_spsc.c - the ring of one producer and one consumer, who change
 * now and then.
 */
/* The schedule points are in the library. */
#define WEFT_NO_INLINE
#include <weft/spsc.h>

#include "soak/containers_wrap.h"

/* clang-format off */
SOAK_WRAP_BOUNDED(spsc)
SOAK_WRAP(spsc)
SOAK_WRAP_BATCHES(spsc)
/* clang-format on */

#define OPS                                                        \
    SOAK_CALLS, SOAK_BATCHES, .bounded = true, .order = SOAK_FIFO, \
                              .sides = SOAK_ONE_EACH

static const struct soak_container_ops lockfree = {OPS, .kind = WEFT_LOCKFREE};
static const struct soak_container_ops mutex = {OPS, .kind = WEFT_MUTEX};

const struct soak_subject soak_spsc_lockfree = {
    .name = "spsc/lockfree", .ops = &lockfree, SOAK_CONTAINER};
const struct soak_subject soak_spsc_mutex = {
    .name = "spsc/mutex", .ops = &mutex, SOAK_CONTAINER};

/* SPDX-License-Identifier: MIT */
/*
 * containers_ring.c - the ring, its three forms.
 */
#include <weft/ring.h>

#include "soak/containers_wrap.h"

/* clang-format off */
SOAK_WRAP_BOUNDED(ring)
SOAK_WRAP(ring)
SOAK_WRAP_BATCHES(ring)
/* clang-format on */

#define OPS SOAK_CALLS, SOAK_BATCHES, .bounded = true, .order = SOAK_FIFO

static const struct soak_container_ops lockfree = {OPS, .kind = WEFT_LOCKFREE};
static const struct soak_container_ops lockless = {OPS, .kind = WEFT_LOCKLESS};
static const struct soak_container_ops mutex = {OPS, .kind = WEFT_MUTEX};

const struct soak_subject soak_ring_lockfree = {
    .name = "ring/lockfree", .ops = &lockfree, SOAK_CONTAINER};
const struct soak_subject soak_ring_lockless = {
    .name = "ring/lockless", .ops = &lockless, SOAK_CONTAINER};
const struct soak_subject soak_ring_mutex = {
    .name = "ring/mutex", .ops = &mutex, SOAK_CONTAINER};

/* SPDX-License-Identifier: MIT */
/*
 * containers_fifo.c - the fifo, its three forms.
 */
#include <weft/fifo.h>

#include "soak/containers_wrap.h"

/* clang-format off */
SOAK_WRAP_UNBOUNDED(fifo)
SOAK_WRAP(fifo)
SOAK_WRAP_BATCHES(fifo)
/* clang-format on */

#define OPS SOAK_CALLS, SOAK_BATCHES, .order = SOAK_FIFO

static const struct soak_container_ops lockfree = {OPS, .kind = WEFT_LOCKFREE};
static const struct soak_container_ops lockless = {OPS, .kind = WEFT_LOCKLESS};
static const struct soak_container_ops mutex = {OPS, .kind = WEFT_MUTEX};

const struct soak_subject soak_fifo_lockfree = {
    .name = "fifo/lockfree", .ops = &lockfree, SOAK_CONTAINER};
const struct soak_subject soak_fifo_lockless = {
    .name = "fifo/lockless", .ops = &lockless, SOAK_CONTAINER};
const struct soak_subject soak_fifo_mutex = {
    .name = "fifo/mutex", .ops = &mutex, SOAK_CONTAINER};

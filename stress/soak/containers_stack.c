/* SPDX-License-Identifier: MIT */
/*
 * containers_stack.c - the stack, its two forms.
 */
#include <weft/stack.h>

#include "soak/containers_wrap.h"

/* clang-format off */
SOAK_WRAP_UNBOUNDED(stack)
SOAK_WRAP(stack)
SOAK_WRAP_BATCHES(stack)
/* clang-format on */

#define OPS SOAK_CALLS, SOAK_BATCHES, .order = SOAK_LIFO

static const struct soak_container_ops lockfree = {OPS, .kind = WEFT_LOCKFREE};
static const struct soak_container_ops mutex = {OPS, .kind = WEFT_MUTEX};

const struct soak_subject soak_stack_lockfree = {
    .name = "stack/lockfree", .ops = &lockfree, SOAK_CONTAINER};
const struct soak_subject soak_stack_mutex = {
    .name = "stack/mutex", .ops = &mutex, SOAK_CONTAINER};

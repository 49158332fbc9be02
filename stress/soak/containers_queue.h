/* SPDX-License-Identifier: MIT */
/*
 * containers_queue.h - the queue that waits, as a container of the soak.
 *
 * Its push and pop wait for up to a third of a millisecond, or as
 * soak_queue_waits says.  Rounds are of three kinds:
 *
 *     OPEN      as with every container; beside it waits that are cancelled
 *     DRAINED   producers and consumers that wait for ever; the last producer
 *               closes, and consumers go on until nothing is left
 *     DISCARDED somebody closes amid all, and gets what is dropped
 */
#ifndef STRESS_SOAK_CONTAINERS_QUEUE_H
#define STRESS_SOAK_CONTAINERS_QUEUE_H

#include <weft/queue.h>

#include "soak/containers.h"

struct soak_queue_ops {
    struct soak_container_ops container; /* first */
    enum weft_status (*close)(void *c, enum weft_close how);
    bool (*is_closed)(const void *c);
    enum weft_status (*join)(void *c, weft_deadline deadline);
    enum weft_status (*wait_any)(void *c, weft_deadline deadline);
};

enum soak_queue_round { SOAK_OPEN, SOAK_DRAINED, SOAK_DISCARDED };

/* Whether this thread's pushes and pops wait for ever. */
extern _Thread_local bool soak_waits_for_ever;

/* What this thread's close and destroy do with items that are dropped. */
extern _Thread_local void (*soak_drop)(void *item, void *ctx);
extern _Thread_local void *soak_drop_ctx;

/* For the operations. */
void soak_queue_opened(struct soak_hand *h);
void soak_queue_round(struct soak_hand *h);

#endif /* STRESS_SOAK_CONTAINERS_QUEUE_H */

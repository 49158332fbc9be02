/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_queues.h - queues that are broken on purpose.
 */
#ifndef TESTS_SOAK_BROKEN_QUEUES_H
#define TESTS_SOAK_BROKEN_QUEUES_H

#include "soak/containers_queue.h"

/* They are copies of the right one, but for one call; make them first. */
void make_broken_queues(void);

extern struct soak_queue_ops queue_stays_open;
extern struct soak_queue_ops queue_forgets_dropped;
extern struct soak_queue_ops queue_drains_nothing;
extern struct soak_queue_ops queue_takes_when_closed;
extern struct soak_queue_ops queue_never_done;
extern struct soak_queue_ops queue_says_closed;
extern struct soak_queue_ops queue_is_deaf;
extern struct soak_queue_ops queue_has_no_patience;
extern struct soak_queue_ops queue_loses_with_the_cancelled;
extern struct soak_queue_ops queue_waits_wrongly;
extern struct soak_queue_ops queue_waits_too_short;

#endif /* TESTS_SOAK_BROKEN_QUEUES_H */

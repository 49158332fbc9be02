/* SPDX-License-Identifier: MIT */
/*
 * sync_nsync.h - the locks of Google's nsync as rivals, where it is installed;
 * elsewhere the lists are empty.
 */
#ifndef STRESS_BENCH_SYNC_NSYNC_H
#define STRESS_BENCH_SYNC_NSYNC_H

#include "bench/sync.h"

extern const struct sync_variant sync_nsync_mutex[];
extern const struct sync_variant sync_nsync_rwlock[];
extern const struct sync_variant sync_nsync_event[];
extern const struct sync_variant sync_nsync_cond[];
extern const struct sync_variant sync_nsync_once[];

#endif /* STRESS_BENCH_SYNC_NSYNC_H */

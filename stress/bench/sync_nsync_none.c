/* SPDX-License-Identifier: MIT */
/*
 * sync_nsync_none.c - without nsync there is no rival of nsync's.
 */
#include "bench/sync_nsync.h"

const struct sync_variant sync_nsync_mutex[] = {{.name = NULL}};
const struct sync_variant sync_nsync_rwlock[] = {{.name = NULL}};
const struct sync_variant sync_nsync_event[] = {{.name = NULL}};
const struct sync_variant sync_nsync_cond[] = {{.name = NULL}};
const struct sync_variant sync_nsync_once[] = {{.name = NULL}};

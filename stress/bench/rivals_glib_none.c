/* SPDX-License-Identifier: MIT */
/*
 * rivals_glib_none.c - without GLib there is no rival of GLib's.
 */
#include "bench/queue.h"

const struct queue_variant queue_glib[] = {
    {.name = NULL},
};

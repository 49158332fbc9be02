/* SPDX-License-Identifier: MIT */
/*
 * heaps_glib_none.c - without GLib there is no rival of GLib's.
 */
#include "bench/heap.h"

const struct heap_variant heap_glib[] = {
    {.name = NULL},
};

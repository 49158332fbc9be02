/* SPDX-License-Identifier: MIT */
/*
 * pools_glib_none.c - without GLib there is no rival of GLib's.
 */
#include "bench/pools.h"

const struct pool_job pool_glib_submits[] = {{.name = NULL}};
const struct pool_job pool_glib_twos[] = {{.name = NULL}};
const struct pool_job pool_glib_idle[] = {{.name = NULL}};

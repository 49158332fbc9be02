/* SPDX-License-Identifier: MIT */
/*
 * shim_options.c - what weft-deadlock tells the object that it preloads, in the
 * environment; and the exit status, where the program went on after a report.
 *
 * The environment is inherited by every program that this one starts.  Only the
 * process that weft-deadlock became is watched, whatever it executes; others if
 * the user has asked for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadlock/shim.h"

#define STATUS 66

struct weft_shim_options weft_shim_options_;

static bool
is_this_process(const char *pid)
{
    return pid != NULL && strtol(pid, NULL, 10) == (long)getpid();
}

void
weft_shim_read_options_(void)
{
    static bool read;
    struct weft_shim_options *o = &weft_shim_options_;
    const char *status = getenv("WEFT_DEADLOCK_STATUS");

    if (read)
        return;
    read = true;
    o->children = getenv("WEFT_DEADLOCK_CHILDREN") != NULL;
    o->keep = getenv("WEFT_DEADLOCK_KEEP") != NULL;
    o->output = getenv("WEFT_DEADLOCK_OUTPUT");
    o->json = getenv("WEFT_DEADLOCK_JSON");
    o->graph = getenv("WEFT_DEADLOCK_GRAPH");
    o->status = status != NULL ? (int)strtol(status, NULL, 10) : STATUS;
    o->on = o->children || is_this_process(getenv("WEFT_DEADLOCK_PID"));
}

__attribute__((destructor)) static void
end(void)
{
    if (!weft_shim_options_.on ||
        !atomic_load_explicit(&weft_shim_options_.found, memory_order_relaxed))
        return;
    fflush(NULL);
    _exit(weft_shim_options_.status);
}

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
#include <sys/stat.h>
#include <unistd.h>

#include "deadlock/shim_doubt.h"
#include "deadlock/shim_order.h"
#include "deadlock/shim_suppress.h"

#define STATUS   66
#define DOUBT_MS 10000

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
    const char *doubt = getenv("WEFT_DEADLOCK_DOUBT");

    if (read)
        return;
    read = true;
    o->children = getenv("WEFT_DEADLOCK_CHILDREN") != NULL;
    o->keep = getenv("WEFT_DEADLOCK_KEEP") != NULL;
    o->predict = getenv("WEFT_DEADLOCK_NO_PREDICT") == NULL;
    o->order = getenv("WEFT_DEADLOCK_ORDER") != NULL;
    o->output = getenv("WEFT_DEADLOCK_OUTPUT");
    o->json = getenv("WEFT_DEADLOCK_JSON");
    o->graph = getenv("WEFT_DEADLOCK_GRAPH");
    o->status = status != NULL ? (int)strtol(status, NULL, 10) : STATUS;
    o->doubt_ms = doubt != NULL ? strtoll(doubt, NULL, 10) : DOUBT_MS;
    o->on = o->children || is_this_process(getenv("WEFT_DEADLOCK_PID"));
    o->pid = getpid();
    struct stat error;
    if (fstat(STDERR_FILENO, &error) == 0) {
        o->error_device = error.st_dev;
        o->error_file = error.st_ino;
    }
    if (is_this_process(getenv("WEFT_DEADLOCK_FOUND")))
        atomic_store_explicit(&o->found, true, memory_order_relaxed);
    if (o->on)
        weft_shim_order_open_();
}

int
weft_shim_finish_(int status)
{
    /* A child of vfork has the memory of its parent. */
    if (!weft_shim_options_.on || weft_shim_options_.pid != getpid())
        return status;
    weft_shim_tell_predicted_();
    const bool doubts = weft_shim_settle_doubts_();
    weft_shim_say_suppressed_();
    return doubts || atomic_load_explicit(&weft_shim_options_.found,
                                          memory_order_relaxed)
               ? weft_shim_options_.status
               : status;
}

__attribute__((destructor)) static void
end(void)
{
    const int status = weft_shim_finish_(-1);

    if (status == -1)
        return;
    fflush(NULL);
    weft_shim_real_.exit_now(status);
}

WEFT_HOOK void
_exit(int status)
{
    weft_shim_self_();
    weft_shim_real_.exit_now(weft_shim_finish_(status));
    __builtin_unreachable();
}

WEFT_HOOK void
_Exit(int status)
{
    _exit(status);
}

/* SPDX-License-Identifier: MIT */
/*
 * kind.c - the names of kinds.
 */
#include "deadlock/kind.h"

const char *
weft_kind_name_(enum weft_kind kind)
{
    static const char *const names[WEFT_KIND_COUNT] = {
        [WEFT_KIND_NONE] = "nothing",
        [WEFT_KIND_MUTEX] = "mutex",
        [WEFT_KIND_RMUTEX] = "rmutex",
        [WEFT_KIND_READ] = "rwlock (to read)",
        [WEFT_KIND_WRITE] = "rwlock (to write)",
        [WEFT_KIND_SPIN] = "spin lock",
        [WEFT_KIND_SEMAPHORE] = "semaphore",
        [WEFT_KIND_EVENT] = "event",
        [WEFT_KIND_COND] = "cond",
        [WEFT_KIND_BARRIER] = "barrier",
        [WEFT_KIND_ONCE] = "once",
        [WEFT_KIND_THREAD] = "thread",
        [WEFT_KIND_TIMER] = "timer",
        [WEFT_KIND_QUEUE] = "queue",
        [WEFT_KIND_FUTURE] = "future",
        [WEFT_KIND_TASK] = "task",
        [WEFT_KIND_WORK] = "work",
    };

    return (unsigned)kind < WEFT_KIND_COUNT ? names[kind] : "unknown";
}

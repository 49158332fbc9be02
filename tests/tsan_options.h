/* SPDX-License-Identifier: MIT */
/*
 * tsan_options.h - what ThreadSanitizer is told by programs that fork with
 * threads, or end with some; to be included in one file of each.
 *
 * It refuses a forked child its threads unless told otherwise, and takes a
 * thread whose handle is still there at exit, or the worker of a pool that lives
 * until then, for a leak.
 */
#ifndef TESTS_TSAN_OPTIONS_H
#define TESTS_TSAN_OPTIONS_H

#include "base/tsan.h"

#ifdef WEFT_TSAN
const char *__tsan_default_options(void);

const char *
__tsan_default_options(void)
{
    return "die_after_fork=0:atexit_sleep_ms=100:report_thread_leaks=0";
}
#endif

#endif /* TESTS_TSAN_OPTIONS_H */

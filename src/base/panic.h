/* SPDX-License-Identifier: MIT */
/*
 * base/panic.h - what happens when the library itself is wrong.
 *
 *       if (turn < seen)
 *           weft_panic_("ring: turn ran backwards", r);
 *       weft_assert_(ring_is_valid(r), r);
 *
 * A caller's mistake is a status, never one of these.
 */
#ifndef WEFT_BASE_PANIC_H
#define WEFT_BASE_PANIC_H

#include "config.h"

/*
 * Write one line, "weft: <text> (object <address>)", to standard error and
 * abort the process.
 *
 *   text       what went wrong; cut off at about 400 bytes
 *   object     where; may be NULL
 *   caveat     async-signal-safe, and takes no lock
 */
_Noreturn void weft_panic_(const char *text, const void *object);

#define WEFT_TEXT_(x)  #x
#define WEFT_VALUE_(x) WEFT_TEXT_(x)

/*
 * Panic unless `truth` holds; only in builds with --enable-debug.  Elsewhere
 * it is compiled and never evaluated, so it must have no side effect.
 */
#ifdef WEFT_DEBUG
#define weft_assert_(truth, object)                                         \
    ((truth) ? (void)0                                                      \
             : weft_panic_(__FILE__                                         \
                           ":" WEFT_VALUE_(__LINE__) ": not true: " #truth, \
                           (object)))
#else
#define weft_assert_(truth, object) ((void)sizeof(truth), (void)sizeof(object))
#endif

#endif /* WEFT_BASE_PANIC_H */

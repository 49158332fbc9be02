/* SPDX-License-Identifier: MIT */
/*
 * deadlock/suppress.h - reports that the user does not want to read: which, by
 * functions, files and modules.
 *
 *   shape      a text of lines, which stays the caller's; nothing is allocated
 *
 *       # known, and harmless
 *       function:bank_audit
 *       file:third_party/hash.c
 *       module:libfoo.so*
 *
 * In all three a * stands for any characters, and a ? for one.
 */
#ifndef WEFT_DEADLOCK_SUPPRESS_H
#define WEFT_DEADLOCK_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>

#define WEFT_SUPPRESS_MOST ((size_t)1 << 20) /* bytes of a file */

/* What is wrong with a text; NULL: nothing.  `*line` is where, from 1. */
const char *weft_suppress_check_(const char *text, unsigned *line);

/*
 * Whether a line of the text names a call.
 *
 *   file       as debugging information has it; a pattern without a slash is
 *              compared with its last part, any other with the whole, or with
 *              what follows one of its slashes
 */
bool weft_suppress_matches_(const char *text, const char *function,
                            const char *file, const char *module);

/* Whether a pattern fits the whole of a string. */
bool weft_suppress_fits_(const char *pattern, size_t length, const char *s);

#endif /* WEFT_DEADLOCK_SUPPRESS_H */

/* SPDX-License-Identifier: MIT */
/*
 * base/name.h - the names of threads.
 *
 *   shape      every different name that a thread has had stays with its record,
 *              so a string that was handed out is never freed or changed while
 *              somebody may read it
 */
#ifndef WEFT_BASE_NAME_H
#define WEFT_BASE_NAME_H

#include <stdbool.h>

#include "base/self.h"

/* The longest name that the system keeps, with the 0 [bytes]. */
#define WEFT_NAME_SYSTEM_BYTES 16

/*
 * Return the name of the thread of `s`: the one it was given, else
 * "MainThread", "Thread-N" or, if somebody else started it, "Foreign-N", where
 * N is its id.
 *
 *   requires   the record stays: a handle, or between weft_reclaim_enter_ and
 *              weft_reclaim_leave_
 *   blocking   the first time without a name: on a lock held for a few
 *              instructions
 */
const char *weft_name_get_(struct weft_self *s);

/*
 * Give it the name `text`; NULL for the one it had at first.
 *
 *   returns    false if there is no memory for it: it keeps the one it has
 */
bool weft_name_set_(struct weft_self *s, const char *text);

/* Write as much of `text` to `out` as the system keeps, no part of a character
 * of UTF-8. */
void weft_name_cut_(const char *text, char out[WEFT_NAME_SYSTEM_BYTES]);

/* Free what `s` holds. */
void weft_name_free_(struct weft_self *s);

#endif /* WEFT_BASE_NAME_H */

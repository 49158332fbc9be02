/* SPDX-License-Identifier: MIT */
/*
 * base/fail.h - taking what weft_fail noted.
 *
 *       void *value = fn(arg);
 *       if (weft_fail_take_(value, &error))
 *           ... it failed, and error is ours ...
 *           weft_fail_free_(&error);
 */
#ifndef WEFT_BASE_FAIL_H
#define WEFT_BASE_FAIL_H

#include <stdarg.h>
#include <stdbool.h>

#include <weft/fail.h>

/*
 * Whether `value` is what weft_fail has returned to this thread last; what it
 * noted is then in `*error`, the caller's to free.  What was noted and not
 * returned is forgotten.
 */
bool weft_fail_take_(const void *value, weft_error *error);

/* The value that weft_fail returns in the calling thread. */
const void *weft_fail_value_(void);

/*
 * Put what was noted aside, for a thread that runs another task before the
 * present one returns; and put it back.
 */
weft_error weft_fail_save_(void);
void weft_fail_restore_(weft_error saved);

/*
 * Return an error of `code` with its message, to be freed; without memory the
 * message says so.  `format` may be NULL.
 */
weft_error weft_fail_make_(int code, const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));

/* Free the message. */
void weft_fail_free_(weft_error *error);

#endif /* WEFT_BASE_FAIL_H */

/* SPDX-License-Identifier: MIT */
/*
 * fail.h - how a thread or a task says that it has failed, and why.
 *
 *       void *read_all(void *arg)
 *       {
 *           FILE *file = fopen(arg, "r");
 *           if (file == NULL)
 *               return weft_fail(errno, "cannot open %s", (char *)arg);
 *           ...
 *       }
 *
 * Who joins the thread, or asks for the task's result, gets WEFT_FAILED and
 * finds the code and the message in a weft_error.
 */
#ifndef WEFT_FAIL_H
#define WEFT_FAIL_H

#include <stddef.h>

#include <weft/base.h>

WEFT_BEGIN_DECLS

/* What a thread or a task runs. */
typedef void *weft_fn(void *arg);

/* How it failed. */
typedef struct weft_error {
    int code;            /* as given to weft_fail */
    const char *message; /* never NULL */
} weft_error;

/* Which of several failed, and how. */
typedef struct weft_failure {
    size_t index;
    const weft_error *error;
} weft_failure;

/*
 * Note that the function which is about to return has failed.
 *
 *   code       any number; an errno value is usual
 *   format     as printf's; NULL for no message
 *   returns    a value to be returned at once by the function that a thread or
 *              a task runs; it is good for nothing else
 *   cost       one allocation for the message; without memory the code is kept
 *              and the message says so
 *   caveat     errno is as before.  A second call before the return replaces
 *              the first.  Outside a thread or task of Weft it has no effect.
 */
WEFT_API WEFT_MUST_USE void *weft_fail(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

WEFT_END_DECLS

#endif /* WEFT_FAIL_H */

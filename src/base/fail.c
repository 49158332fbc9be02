/* SPDX-License-Identifier: MIT */
/*
 * fail.c - a failure is noted in the thread, and the address of the note is
 * what the function returns.
 *
 * No other function returns that address, so the value alone tells a failure
 * from a result, also from one that is NULL.  Nothing is shared: the note is
 * the thread's own until whoever ran the function takes it.
 */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char no_memory[] = "no memory for the message";

/* A message of NULL: nothing is noted. */
static __thread weft_error noted __attribute__((tls_model("initial-exec")));

void
weft_fail_free_(weft_error *error)
{
    if (error->message != no_memory)
        free((void *)(uintptr_t)error->message);
    *error = (weft_error){0, NULL};
}

static char *
write_message(const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    const int bytes = vsnprintf(NULL, 0, format, list);
    char *text = bytes < 0 ? NULL : malloc((size_t)bytes + 1);

    if (text != NULL)
        vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    return text;
}

weft_error
weft_fail_make_(int code, const char *format, va_list list)
{
    char *text = format != NULL ? write_message(format, list) : calloc(1, 1);

    return (weft_error){code, text != NULL ? text : no_memory};
}

void *
weft_fail(int code, const char *format, ...)
{
    const int saved = errno;
    va_list list;

    va_start(list, format);
    const weft_error error = weft_fail_make_(code, format, list);
    va_end(list);
    if (noted.message != NULL)
        weft_fail_free_(&noted);
    noted = error;
    errno = saved;
    return &noted;
}

const void *
weft_fail_value_(void)
{
    return &noted;
}

weft_error
weft_fail_save_(void)
{
    const weft_error saved = noted;

    noted = (weft_error){0, NULL};
    return saved;
}

void
weft_fail_restore_(weft_error saved)
{
    if (noted.message != NULL)
        weft_fail_free_(&noted);
    noted = saved;
}

bool
weft_fail_take_(const void *value, weft_error *error)
{
    weft_error taken = weft_fail_save_();

    if (taken.message == NULL)
        return false;
    if (value == &noted) {
        *error = taken;
        return true;
    }
    weft_fail_free_(&taken);
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * text.c - titles.
 */
#include "bench/text.h"

#include <stdarg.h>

#include "memory.h"

char *
bench_text(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = must_print(format, arguments);
    va_end(arguments);
    return text;
}

/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory that does not run out.
 */
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"

#define LINE 128 /* two lines of the caches: they are fetched in pairs */

static void *
checked(void *p)
{
    if (p == NULL) {
        complain("out of memory");
        exit(EXIT_FAILURE);
    }
    return p;
}

void *
must_have(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
        return checked(NULL);
    bytes = bytes == 0 ? LINE : (bytes + LINE - 1) / LINE * LINE;
    return memset(checked(aligned_alloc(LINE, bytes)), 0, bytes);
}

void *
must_grow(void *items, size_t count, size_t size)
{
    /* Room doubles each time the count reaches a power of two. */
    if ((count & (count - 1)) != 0)
        return items;
    return checked(reallocarray(items, count == 0 ? 1 : 2 * count, size));
}

char *
must_copy(const char *text)
{
    return checked(strdup(text));
}

char *
must_print(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    return checked(text);
}

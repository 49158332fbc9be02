/* SPDX-License-Identifier: MIT */
/*
 * memory.h - memory that does not run out: if it does, the program ends with
 * one line and status 1.
 */
#ifndef STRESS_MEMORY_H
#define STRESS_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed; each of the `count` objects begins on a cache line if `size` is a
 * multiple of one. */
void *must_have(size_t count, size_t size);

/* Room for one more item after `count`, however few have been asked for. */
void *must_grow(void *items, size_t count, size_t size);

char *must_copy(const char *text);
char *must_print(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

#endif /* STRESS_MEMORY_H */

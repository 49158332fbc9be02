/* SPDX-License-Identifier: MIT */
/*
 * panic.c - one line, in one write, and the end.
 *
 * The line is put together by hand: the state of stdio, of malloc and of every
 * lock is unknown here, and the caller may be a signal handler.  A single
 * write keeps the lines of two threads apart.
 */
#include "base/panic.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_BYTES 400

struct line {
    char bytes[TEXT_BYTES + 64]; /* the text, and what stands around it */
    size_t used;
};

static void
put(struct line *l, const char *text)
{
    for (size_t i = 0; text[i] != '\0' && i < TEXT_BYTES; i++)
        l->bytes[l->used++] = text[i];
}

static void
put_address(struct line *l, const void *object)
{
    const uintptr_t address = (uintptr_t)object;

    put(l, "0x");
    for (int shift = (int)sizeof(address) * 8 - 4; shift >= 0; shift -= 4)
        l->bytes[l->used++] = "0123456789abcdef"[address >> shift & 15];
}

void
weft_panic_(const char *text, const void *object)
{
    struct line l = {.used = 0};

    put(&l, "weft: ");
    put(&l, text);
    if (object != NULL) {
        put(&l, " (object ");
        put_address(&l, object);
        put(&l, ")");
    }
    put(&l, "\n");
    /* Nobody is left to tell if standard error is closed. */
    if (write(STDERR_FILENO, l.bytes, l.used) < 0)
        abort();
    abort();
}

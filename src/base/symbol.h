/* SPDX-License-Identifier: MIT */
/*
 * base/symbol.h - what an address is called: function, file and line.
 *
 *   idea       addresses are gathered, then all are looked up at once, in a
 *              copy of the process that may take its time, hang or fail without
 *              harm to this one
 *   shape      a set in memory of its own: nothing here calls malloc
 *   variants   with elfutils' libdw (symbol_dw.c), files and lines; without
 *              (symbol_plain.c), functions and modules
 *
 *       struct weft_symbols *s = weft_symbols_create_(100);
 *       weft_symbols_add_(s, address);
 *       weft_symbols_find_(s, weft_in_s(2));
 *       print(weft_symbols_get_(s, address)->function);
 *       weft_symbols_destroy_(s);
 */
#ifndef WEFT_BASE_SYMBOL_H
#define WEFT_BASE_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/deadline.h>

/* An empty string, or a line of 0, is not known. */
struct weft_symbol {
    uintptr_t address;
    uintptr_t place;  /* in the module, as its file numbers addresses */
    uintptr_t offset; /* from the function's begin */
    uint32_t mapping; /* which line of /proc/self/maps; 0: none */
    uint32_t line;
    char function[96];
    char file[120];
    char module[64]; /* the last part of its path */
};

/* All in one mapping, shared with the copy that fills it. */
struct weft_symbols {
    size_t bytes;
    size_t room;
    size_t count;
    size_t slots;   /* a power of two, more than room */
    uint32_t *slot; /* index + 1 by hash of the address; 0: free */
    struct weft_symbol list[];
};

/* Make an empty set for up to `room` addresses; NULL: no memory. */
struct weft_symbols *weft_symbols_create_(size_t room);

/* Free it; NULL is fine. */
void weft_symbols_destroy_(struct weft_symbols *s);

/* Add an address, if it is not there and there is room. */
void weft_symbols_add_(struct weft_symbols *s, uintptr_t address);

/*
 * Find out what there is to know of the addresses added.
 *
 *   deadline   what is not known by then stays unknown
 *   blocking   until a copy of the process has done its work; takes no lock,
 *              calls no malloc, raises no SIGCHLD
 *   caveat     while it works, the copy has the process's files open; a
 *              process of many gigabytes takes long to copy
 */
void weft_symbols_find_(struct weft_symbols *s, weft_deadline deadline);

/* Return what is known about an address; NULL if it was not added. */
const struct weft_symbol *weft_symbols_get_(const struct weft_symbols *s,
                                            uintptr_t address);

/*
 * The two steps of the copy: modules and functions, by the tables of the ELF
 * files themselves, with nothing but system calls; then what libdw adds, with
 * malloc and everything.  No debuginfod is asked.
 */
void weft_symbols_read_elf_(struct weft_symbols *s);
void weft_symbols_read_dwarf_(struct weft_symbols *s);

/* Copy a string, cut to `room` with its zero. */
void weft_symbol_copy_(char *to, size_t room, const char *from);

#endif /* WEFT_BASE_SYMBOL_H */

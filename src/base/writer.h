/* SPDX-License-Identifier: MIT */
/*
 * base/writer.h - text to a file descriptor, in few system calls.
 */
#ifndef WEFT_BASE_WRITER_H
#define WEFT_BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>

/* All but the descriptor zero at first. */
struct weft_writer {
    int fd;
    bool failed; /* nothing more is written */
    size_t used;
    char text[16384];
};

/* Append, as printf does; a piece is cut at 1000 bytes. */
__attribute__((format(printf, 2, 3))) void
weft_writer_say_(struct weft_writer *w, const char *format, ...);

/*
 * Write out what there is.
 *
 *   blocking   on the file; if it is in non-blocking mode, a second for each
 *              piece that it does not take, and then it has failed
 *   caveat     a pipe that nobody reads raises no SIGPIPE
 */
void weft_writer_flush_(struct weft_writer *w);

#endif /* WEFT_BASE_WRITER_H */

/* SPDX-License-Identifier: MIT */
/*
 * shim_suppress.c - reports that are not written, and how many those were.
 *
 * The file is read before the program runs: it may change its folder, or its
 * root.  The last line comes when the program ends, by exit or by the shim.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/writer.h"
#include "deadlock/shim_suppress.h"
#include "deadlock/suppress.h"
#include "deadlock/suppress_report.h"

static const char *text; /* NULL: nothing is suppressed */
static _Atomic unsigned count;

void
weft_shim_read_suppressions_(void)
{
    const char *path = getenv("WEFT_DEADLOCK_SUPPRESS");
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    char *all = weft_shim_map_(WEFT_SUPPRESS_MOST + 1); /* ends with zeros */
    if (all != NULL)
        weft_suppress_read_(fd, all);
    close(fd);
    text = all;
}

bool
weft_shim_is_unwanted_(const struct weft_symbols *symbols,
                       const struct weft_dl_place *p)
{
    return weft_suppress_names_place_(text, symbols, p);
}

void
weft_shim_count_suppressed_(void)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

bool
weft_shim_suppresses_(const struct weft_dl_report *r)
{
    const bool unwanted = text != NULL && weft_suppress_names_(text, r);

    if (unwanted)
        weft_shim_count_suppressed_();
    return unwanted;
}

void
weft_shim_say_suppressed_(void)
{
    static _Atomic bool said;
    static struct weft_writer w;
    const char *path = weft_shim_options_.output;
    const unsigned n = atomic_load_explicit(&count, memory_order_relaxed);

    if (n == 0 || atomic_exchange_explicit(&said, true, memory_order_relaxed))
        return;
    w.fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
                        : STDERR_FILENO;
    if (w.fd < 0)
        return;
    weft_writer_say_(&w, "weft: %u suppressed\n", n);
    weft_writer_flush_(&w);
    if (path != NULL)
        close(w.fd);
}

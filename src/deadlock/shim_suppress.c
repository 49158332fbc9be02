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

static const char *text; /* NULL: nothing is suppressed */
static _Atomic unsigned count;

void
weft_shim_read_suppressions_(void)
{
    const char *path = getenv("WEFT_DEADLOCK_SUPPRESS");
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    size_t used = 0;
    ssize_t n = 1;

    if (fd < 0)
        return;
    char *all = weft_shim_map_(WEFT_SUPPRESS_MOST + 1); /* ends with zeros */
    while (all != NULL && used < WEFT_SUPPRESS_MOST &&
           (n = read(fd, all + used, WEFT_SUPPRESS_MOST - used)) > 0)
        used += (size_t)n;
    close(fd);
    text = all;
}

/* Whether one of the calls of a place is named. */
bool
weft_shim_is_unwanted_(const struct weft_symbols *symbols,
                       const struct weft_dl_place *p)
{
    if (text == NULL || symbols == NULL)
        return false;
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++) {
        const struct weft_symbol *s = weft_symbols_get_(symbols, p->call[i]);
        if (s != NULL &&
            weft_suppress_matches_(text, s->function, s->file, s->module))
            return true;
    }
    return false;
}

static bool
is_unwanted(const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_thread *t = &r->picture->threads[i];

    if (t->state != WEFT_DL_ENDED &&
        weft_shim_is_unwanted_(r->symbols, &t->wait.place))
        return true;
    for (uint32_t k = 0; k < t->held_count; k++)
        if (weft_shim_is_unwanted_(r->symbols, &t->held[k].place))
            return true;
    return false;
}

void
weft_shim_count_suppressed_(void)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

bool
weft_shim_suppresses_(const struct weft_dl_report *r)
{
    bool unwanted = false;

    for (uint32_t i = r->found->first; i != WEFT_DL_NONE && !unwanted;
         i = r->picture->threads[i].next)
        unwanted = is_unwanted(r, i);
    if (!unwanted && r->found->ended != WEFT_DL_NONE)
        unwanted = is_unwanted(r, r->found->ended);
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

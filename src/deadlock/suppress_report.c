/* SPDX-License-Identifier: MIT */
/*
 * suppress_report.c - which reports a text of suppressions is about.
 */
#include "deadlock/suppress_report.h"

#include <unistd.h>

#include "deadlock/suppress.h"

void
weft_suppress_read_(int fd, char *to)
{
    size_t used = 0;
    ssize_t n = 1;

    while (used < WEFT_SUPPRESS_MOST &&
           (n = read(fd, to + used, WEFT_SUPPRESS_MOST - used)) > 0)
        used += (size_t)n;
}

bool
weft_suppress_names_place_(const char *text, const struct weft_symbols *symbols,
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
names_thread(const char *text, const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_thread *t = &r->picture->threads[i];

    if (t->state != WEFT_DL_ENDED &&
        weft_suppress_names_place_(text, r->symbols, &t->wait.place))
        return true;
    for (uint32_t k = 0; k < t->held_count; k++)
        if (weft_suppress_names_place_(text, r->symbols, &t->held[k].place))
            return true;
    return false;
}

bool
weft_suppress_names_(const char *text, const struct weft_dl_report *r)
{
    for (uint32_t i = r->found->first; i != WEFT_DL_NONE;
         i = r->picture->threads[i].next)
        if (names_thread(text, r, i))
            return true;
    return r->found->ended != WEFT_DL_NONE &&
           names_thread(text, r, r->found->ended);
}

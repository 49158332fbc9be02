/* SPDX-License-Identifier: MIT */
/*
 * shim_places.c - of the calls noted for a place, those that the user wants to
 * read.
 *
 * Where a lock was taken is noted by frame pointers, which is all that a fast
 * path can pay for.  A function that keeps none passes on what is in the
 * register: its caller is believed only if its code begins as that of one that
 * does.  Then the functions of the system's headers in front of the user's own
 * are left out, and so is what lies below a thread's routine.
 */
#include <string.h>

#include "deadlock/shim.h"

#define SHOWN 2

/* Whether the function of a call keeps a frame pointer. */
static bool
has_frame(const struct weft_symbol *s)
{
#if defined(__x86_64__)
    static const unsigned char landing[] = {0xf3, 0x0f, 0x1e, 0xfa};
    static const unsigned char push[] = {0x55, 0x48, 0x89, 0xe5};
    unsigned char code[sizeof(landing) + sizeof(push)];

    if (s == NULL || s->function[0] == '\0' ||
        !weft_shim_peek_((const void *)(s->address - s->offset), code,
                         sizeof(code)))
        return false;
    const bool lands = memcmp(code, landing, sizeof(landing)) == 0;
    return memcmp(code + (lands ? sizeof(landing) : 0), push, sizeof(push)) ==
           0;
#else
    return s != NULL; /* the rules of the platform want one */
#endif
}

static bool
is_below(const struct weft_symbol *s)
{
    return s != NULL && (strcmp(s->module, "libweft-deadlock.so") == 0 ||
                         strncmp(s->module, "libc.so", 7) == 0);
}

static bool
is_of_system(const struct weft_symbol *s)
{
    return s != NULL && strncmp(s->file, "/usr/include/", 13) == 0;
}

void
weft_shim_shorten_(struct weft_dl_place *p, const struct weft_symbols *symbols,
                   bool by_frames)
{
    struct weft_dl_place found = {{0}};
    int count = 0;
    int used = 0;

    for (; count < WEFT_DL_PLACES && p->call[count] != 0; count++) {
        if (by_frames && count > 0 &&
            !has_frame(weft_symbols_get_(symbols, p->call[count - 1])))
            break;
        if (count > 0 && is_below(weft_symbols_get_(symbols, p->call[count])))
            break;
    }
    for (int i = 0; i < count && used < SHOWN; i++)
        if (used > 0 || i + 1 == count ||
            !is_of_system(weft_symbols_get_(symbols, p->call[i])))
            found.call[used++] = p->call[i];
    *p = found;
}

/* SPDX-License-Identifier: MIT */
/*
 * places.c - a list of addresses, short enough to be searched from its start.
 */
#include "stall/places.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static struct place *
find(struct places *p, uintptr_t address)
{
    size_t i = 0;

    while (i < p->count && p->list[i].address != address)
        i++;
    if (i == p->count) {
        p->list = must_grow(p->list, p->count, sizeof(p->list[0]));
        p->list[p->count++] = (struct place){.address = address};
    }
    return &p->list[i];
}

void
places_add(struct places *p, uintptr_t address, const char *state, enum fate f)
{
    struct place *at = find(p, address);

    at->fates[f]++;
    if (f != WENT_ON && at->state == NULL)
        at->state = state;
}

void
places_merge(struct places *to, const struct places *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct place *at = find(to, from->list[i].address);

        for (int f = 0; f < FATES; f++)
            at->fates[f] += from->list[i].fates[f];
        if (at->state == NULL)
            at->state = from->list[i].state;
    }
}

void
places_free(struct places *p)
{
    free(p->list);
    *p = (struct places){0};
}

static int
compare(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    return (x->address > y->address) - (x->address < y->address);
}

void
places_sort(struct places *p)
{
    if (p->count > 0)
        qsort(p->list, p->count, sizeof(p->list[0]), compare);
}

unsigned
place_held(const struct place *p)
{
    return p->fates[ASLEEP] + p->fates[SPINNING] + p->fates[REFUSED];
}

char *
place_symbol(char text[PLACE_BYTES], uintptr_t address)
{
    Dl_info in;

    if (dladdr((void *)address, &in) == 0 || in.dli_sname == NULL)
        snprintf(text, PLACE_BYTES, "-");
    else
        snprintf(text, PLACE_BYTES, "%s+0x%lx", in.dli_sname,
                 (unsigned long)(address - (uintptr_t)in.dli_saddr));
    return text;
}

char *
place_file(char text[PLACE_BYTES], uintptr_t address)
{
    Dl_info in;

    if (dladdr((void *)address, &in) == 0) {
        snprintf(text, PLACE_BYTES, "-");
        return text;
    }
    const char *slash = strrchr(in.dli_fname, '/');
    snprintf(text, PLACE_BYTES, "%s 0x%lx",
             slash == NULL ? in.dli_fname : slash + 1,
             (unsigned long)(address - (uintptr_t)in.dli_fbase));
    return text;
}

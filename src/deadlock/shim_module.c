/* SPDX-License-Identifier: MIT */
/*
 * shim_module.c - libraries that are closed: the next one lies where its locks
 * were.
 *
 * The loader unmaps them by itself, and a call may close others as well, so the
 * modules are listed before and after.  Those behind the last that there is room
 * for keep their locks.
 */
#include <dlfcn.h>
#include <link.h>

#include "deadlock/shim_order.h"

#define MODULES 1024

struct modules {
    uint32_t count;
    struct {
        uintptr_t from;
        uintptr_t to;
    } of[MODULES];
};

static int
list(struct dl_phdr_info *info, size_t unused, void *arg)
{
    struct modules *m = arg;
    uintptr_t from = UINTPTR_MAX;
    uintptr_t to = 0;

    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const uintptr_t at = info->dlpi_addr + p->p_vaddr;
        if (p->p_type != PT_LOAD)
            continue;
        from = at < from ? at : from;
        to = at + p->p_memsz > to ? at + p->p_memsz : to;
    }
    if (from < to) {
        m->of[m->count].from = from;
        m->of[m->count++].to = to;
    }
    return m->count == MODULES;
}

/* Take a module that is still there off the list. */
static int
take_off(struct dl_phdr_info *info, size_t unused, void *arg)
{
    const uintptr_t at = (uintptr_t)info->dlpi_phdr;
    struct modules *m = arg;

    (void)unused;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->of[i].from <= at && at < m->of[i].to)
            m->of[i] = m->of[--m->count];
    return 0;
}

WEFT_HOOK int
dlclose(void *handle)
{
    int (*real)(void *);
    const bool tells = weft_shim_self_()->order.graph != NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "dlclose");
    struct modules *m = tells ? weft_shim_map_(sizeof(*m)) : NULL;
    if (m == NULL)
        return real(handle);
    dl_iterate_phdr(list, m);
    const int r = real(handle);
    dl_iterate_phdr(take_off, m);
    for (uint32_t i = 0; i < m->count; i++)
        weft_shim_forgets_((const void *)m->of[i].from,
                           m->of[i].to - m->of[i].from);
    weft_shim_unmap_(m, sizeof(*m));
    return r;
}

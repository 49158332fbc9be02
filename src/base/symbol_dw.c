/* SPDX-License-Identifier: MIT */
/*
 * symbol_dw.c - lines, and the names of functions that only debugging
 * information has, from elfutils' libdw.
 *
 * libdw is loaded when it is first needed, which is in the copy of the process
 * (symbol.c): no program pays for it before it dumps a stack, and none fails to
 * start where it is missing.
 *
 * A separate file of debugging information is found on this machine, by build
 * id.  libdw would also ask the servers of DEBUGINFOD_URLS over the network;
 * a process that hangs is no moment for that, so the variable is taken away
 * from the copy before libdw sees it.
 */
#include "base/symbol.h"

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <string.h>
#include <unistd.h>

/* The calls of libdw that are used, by their own names. */
struct libdw {
    __typeof__(&dwfl_begin) begin;
    __typeof__(&dwfl_linux_proc_report) linux_proc_report;
    __typeof__(&dwfl_report_end) report_end;
    __typeof__(&dwfl_addrmodule) addrmodule;
    __typeof__(&dwfl_module_addrinfo) module_addrinfo;
    __typeof__(&dwfl_module_getsrc) module_getsrc;
    __typeof__(&dwfl_lineinfo) lineinfo;
    __typeof__(&dwfl_module_nextcu) module_nextcu;
    __typeof__(&dwarf_haspc) haspc;
    __typeof__(&dwarf_getsrc_die) getsrc_die;
    __typeof__(&dwarf_lineno) lineno;
    __typeof__(&dwarf_linesrc) linesrc;
    __typeof__(&dwfl_linux_proc_find_elf) linux_proc_find_elf;
    __typeof__(&dwfl_standard_find_debuginfo) standard_find_debuginfo;
};

/* Store the address of `name` in `*function`. */
static bool
take(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);

    memcpy(function, &address, sizeof(address)); /* as POSIX does it */
    return address != NULL;
}

static bool
load(struct libdw *d)
{
    void *l = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);

    return l != NULL && take(l, "dwfl_begin", &d->begin) &&
           take(l, "dwfl_linux_proc_report", &d->linux_proc_report) &&
           take(l, "dwfl_report_end", &d->report_end) &&
           take(l, "dwfl_addrmodule", &d->addrmodule) &&
           take(l, "dwfl_module_addrinfo", &d->module_addrinfo) &&
           take(l, "dwfl_module_getsrc", &d->module_getsrc) &&
           take(l, "dwfl_lineinfo", &d->lineinfo) &&
           take(l, "dwfl_module_nextcu", &d->module_nextcu) &&
           take(l, "dwarf_haspc", &d->haspc) &&
           take(l, "dwarf_getsrc_die", &d->getsrc_die) &&
           take(l, "dwarf_lineno", &d->lineno) &&
           take(l, "dwarf_linesrc", &d->linesrc) &&
           take(l, "dwfl_linux_proc_find_elf", &d->linux_proc_find_elf) &&
           take(l, "dwfl_standard_find_debuginfo", &d->standard_find_debuginfo);
}

static void
ask_no_server(void)
{
    static char nothing[] = "WEFT_NOTHING=";

    for (char **e = environ; e != NULL && *e != NULL; e++)
        if (strncmp(*e, "DEBUGINFOD_", strlen("DEBUGINFOD_")) == 0)
            *e = nothing;
}

/* gcc writes a table of which unit has which address; clang does not, so that
 * its units have to be asked one by one. */
static const char *
search_units(const struct libdw *d, Dwfl_Module *m, uint64_t address, int *line)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = NULL;

    while ((unit = d->module_nextcu(m, unit, &bias)) != NULL)
        if (d->haspc(unit, address - bias) == 1)
            break;
    Dwarf_Line *where =
        unit != NULL ? d->getsrc_die(unit, address - bias) : NULL;
    return where != NULL && d->lineno(where, line) == 0
               ? d->linesrc(where, NULL, NULL)
               : NULL;
}

static void
read_one(const struct libdw *d, Dwfl *dwfl, struct weft_symbol *s)
{
    Dwfl_Module *m = d->addrmodule(dwfl, s->address);
    GElf_Off offset = 0;
    GElf_Sym symbol;
    int line = 0;

    if (m == NULL)
        return;
    const char *function =
        d->module_addrinfo(m, s->address, &offset, &symbol, NULL, NULL, NULL);
    if (s->function[0] == '\0' && function != NULL &&
        GELF_ST_TYPE(symbol.st_info) == STT_FUNC) {
        s->offset = offset;
        weft_symbol_copy_(s->function, sizeof(s->function), function);
    }
    Dwfl_Line *where = d->module_getsrc(m, s->address);
    const char *file = where == NULL
                           ? search_units(d, m, s->address, &line)
                           : d->lineinfo(where, NULL, &line, NULL, NULL, NULL);
    if (file == NULL || line <= 0)
        return;
    weft_symbol_copy_(s->file, sizeof(s->file), file);
    s->line = (uint32_t)line;
}

void
weft_symbols_read_dwarf_(struct weft_symbols *s)
{
    struct libdw d;

    ask_no_server();
    if (!load(&d))
        return;
    char *nowhere = NULL;
    const Dwfl_Callbacks callbacks = {
        .find_elf = d.linux_proc_find_elf,
        .find_debuginfo = d.standard_find_debuginfo,
        .debuginfo_path = &nowhere,
    };
    Dwfl *dwfl = d.begin(&callbacks);
    if (dwfl == NULL || d.linux_proc_report(dwfl, getpid()) != 0 ||
        d.report_end(dwfl, NULL, NULL) != 0)
        return;
    for (size_t i = 0; i < s->count; i++)
        read_one(&d, dwfl, &s->list[i]);
}

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
 *
 * Where functions were inlined the line is the one in the function that has the
 * name: that of the outermost call, not of the instruction, which is often in
 * a header that the user never wrote.
 */
#include "base/symbol.h"

#include <dlfcn.h>
#include <dwarf.h>
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
    __typeof__(&dwfl_module_addrdie) module_addrdie;
    __typeof__(&dwarf_haspc) haspc;
    __typeof__(&dwarf_getscopes) getscopes;
    __typeof__(&dwarf_getscopes_die) getscopes_die;
    __typeof__(&dwarf_tag) tag;
    __typeof__(&dwarf_attr) attr;
    __typeof__(&dwarf_formudata) formudata;
    __typeof__(&dwarf_getsrcfiles) getsrcfiles;
    __typeof__(&dwarf_filesrc) filesrc;
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
           take(l, "dwfl_module_addrdie", &d->module_addrdie) &&
           take(l, "dwarf_haspc", &d->haspc) &&
           take(l, "dwarf_getscopes", &d->getscopes) &&
           take(l, "dwarf_getscopes_die", &d->getscopes_die) &&
           take(l, "dwarf_tag", &d->tag) && take(l, "dwarf_attr", &d->attr) &&
           take(l, "dwarf_formudata", &d->formudata) &&
           take(l, "dwarf_getsrcfiles", &d->getsrcfiles) &&
           take(l, "dwarf_filesrc", &d->filesrc) &&
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
static Dwarf_Die *
unit_of(const struct libdw *d, Dwfl_Module *m, uint64_t address,
        Dwarf_Addr *bias)
{
    Dwarf_Die *unit = d->module_addrdie(m, address, bias);

    if (unit != NULL)
        return unit;
    while ((unit = d->module_nextcu(m, unit, bias)) != NULL)
        if (d->haspc(unit, address - *bias) == 1)
            break;
    return unit;
}

static const char *
search_units(const struct libdw *d, Dwfl_Module *m, uint64_t address, int *line)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = unit_of(d, m, address, &bias);
    Dwarf_Line *where =
        unit != NULL ? d->getsrc_die(unit, address - bias) : NULL;
    return where != NULL && d->lineno(where, line) == 0
               ? d->linesrc(where, NULL, NULL)
               : NULL;
}

static bool
number_of(const struct libdw *d, Dwarf_Die *die, unsigned name,
          Dwarf_Word *number)
{
    Dwarf_Attribute attribute;

    return d->attr(die, name, &attribute) != NULL &&
           d->formudata(&attribute, number) == 0;
}

/* Where in the function with a name of its own the outermost of the inlined
 * ones was called; NULL: none was. */
static const char *
search_inlined(const struct libdw *d, Dwfl_Module *m, uint64_t address,
               int *line)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = unit_of(d, m, address, &bias);
    Dwarf_Die *scopes = NULL;
    Dwarf_Die *outermost = NULL;
    Dwarf_Files *files;
    size_t count;
    Dwarf_Word file = 0;
    Dwarf_Word at = 0;

    if (unit == NULL)
        return NULL;
    /* The first of them lies in all those that it was inlined into; the others
     * are what it was written in. */
    int n = d->getscopes(unit, address - bias, &scopes);
    if (n > 0)
        n = d->getscopes_die(&scopes[0], &scopes);
    for (int i = 0; i < n && d->tag(&scopes[i]) != DW_TAG_subprogram; i++)
        if (d->tag(&scopes[i]) == DW_TAG_inlined_subroutine)
            outermost = &scopes[i];
    /* The copy of the process that this is ends soon: nothing is freed. */
    if (outermost == NULL || !number_of(d, outermost, DW_AT_call_file, &file) ||
        !number_of(d, outermost, DW_AT_call_line, &at) ||
        d->getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return NULL;
    *line = (int)at;
    return d->filesrc(files, file, NULL, NULL);
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
    const char *file = search_inlined(d, m, s->address, &line);
    Dwfl_Line *where = file == NULL ? d->module_getsrc(m, s->address) : NULL;
    if (file == NULL)
        file = where == NULL
                   ? search_units(d, m, s->address, &line)
                   : d->lineinfo(where, NULL, &line, NULL, NULL, NULL);
    if (file == NULL || line <= 0)
        return;
    weft_symbol_copy_(s->file, sizeof(s->file), file);
    s->line = (uint32_t)line;
}

/* Names of C++ as they are written, by the library that a program in C++ has
 * loaded. */
static void
demangle(struct weft_symbols *s)
{
    char *(*plain)(const char *, char *, size_t *, int *);
    void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_NOLOAD);

    if (library == NULL || !take(library, "__cxa_demangle", &plain))
        return;
    for (size_t i = 0; i < s->count; i++) {
        char *function = s->list[i].function;
        const char *name = strncmp(function, "_Z", 2) == 0
                               ? plain(function, NULL, NULL, NULL)
                               : NULL;
        if (name != NULL)
            weft_symbol_copy_(function, sizeof(s->list[i].function), name);
    }
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
    demangle(s);
}

/* SPDX-License-Identifier: MIT */
/*
 * symbol_elf.c - modules and functions from /proc/self/maps and the symbol
 * tables of the files it names; with system calls only, so that it works
 * whatever lock somebody holds.
 *
 * A mapping says which part of which file lies at an address; the file's own
 * program headers say what address that part has in it.  The table .symtab has
 * the static functions too; a stripped file has only .dynsym.
 *
 * A function often has several names.  The one with the fewest underscores in
 * front is what the source calls it (read, __read, __libc_read).
 *
 * The files are read as untrusted: every offset is checked against the size.
 */
#include "base/symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line of /proc/self/maps. */
struct mapping {
    uintptr_t begin;
    uintptr_t end;
    uintptr_t offset; /* of the file, at begin */
    char path[512];
};

struct lines {
    int fd;
    size_t used;
    size_t size;
    char buffer[1024];
};

struct file {
    const unsigned char *bytes;
    size_t size;
};

/* Read a line, cut to `room`; false at the end. */
static bool
next_line(struct lines *l, char *line, size_t room)
{
    size_t n = 0;

    for (;;) {
        if (l->used == l->size) {
            const ssize_t got = read(l->fd, l->buffer, sizeof(l->buffer));
            if (got <= 0)
                return false;
            l->used = 0;
            l->size = (size_t)got;
        }
        const char c = l->buffer[l->used++];
        if (c == '\n')
            break;
        if (n + 1 < room)
            line[n++] = c;
    }
    line[n] = '\0';
    return true;
}

static const char *
read_hex(const char *text, uintptr_t *value)
{
    static const char digits[] = "0123456789abcdef";

    *value = 0;
    for (const char *d; *text != '\0'; text++) {
        d = strchr(digits, *text);
        if (d == NULL)
            break;
        *value = *value << 4 | (uintptr_t)(d - digits);
    }
    return text;
}

/* "begin-end rights offset device inode   path" */
static bool
read_mapping(const char *line, struct mapping *m)
{
    line = read_hex(line, &m->begin);
    if (*line++ != '-')
        return false;
    line = read_hex(line, &m->end);
    line = strchr(line + (*line != '\0'), ' ');
    if (line == NULL)
        return false;
    read_hex(line + 1, &m->offset);
    const char *path = strchr(line, '/');
    if (path == NULL)
        path = strchr(line, '[');
    weft_symbol_copy_(m->path, sizeof(m->path), path != NULL ? path : "");
    return true;
}

/* Whether `count` things of `bytes` at `offset` lie in the file. */
static bool
is_inside(const struct file *f, uint64_t offset, uint64_t count, uint64_t bytes)
{
    uint64_t size;

    return !__builtin_mul_overflow(count, bytes, &size) && offset <= f->size &&
           size <= f->size - offset;
}

static const ElfW(Ehdr) * header_of(const struct file *f)
{
    const ElfW(Ehdr) *h = (const void *)f->bytes;

    if (f->size < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
        h->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        return NULL;
    return h;
}

/* Turn the offsets in the file, in `place`, into the file's addresses. */
static void
place_all(const struct file *f, const ElfW(Ehdr) * h, struct weft_symbols *s,
          uint32_t mapping)
{
    if (h->e_phentsize != sizeof(ElfW(Phdr)) ||
        !is_inside(f, h->e_phoff, h->e_phnum, sizeof(ElfW(Phdr))))
        return;
    const ElfW(Phdr) *p = (const void *)(f->bytes + h->e_phoff);
    for (size_t k = 0; k < s->count; k++) {
        struct weft_symbol *y = &s->list[k];
        for (unsigned i = 0; y->mapping == mapping && i < h->e_phnum; i++)
            if (p[i].p_type == PT_LOAD &&
                y->place - p[i].p_offset < p[i].p_filesz) {
                y->place += p[i].p_vaddr - p[i].p_offset;
                break;
            }
    }
}

static unsigned
underscores(const char *name)
{
    return (unsigned)strspn(name, "_");
}

/* One function of a table: does it contain some of the addresses? */
static void
match(const ElfW(Sym) * y, const char *name, struct weft_symbols *s,
      uint32_t mapping)
{
    for (size_t k = 0; k < s->count; k++) {
        struct weft_symbol *x = &s->list[k];
        if (x->mapping != mapping || x->place - y->st_value >= y->st_size)
            continue;
        if (x->function[0] != '\0' &&
            underscores(x->function) <= underscores(name))
            continue;
        weft_symbol_copy_(x->function, sizeof(x->function), name);
        x->offset = x->place - y->st_value;
    }
}

static void
read_table(const struct file *f, const ElfW(Shdr) * table,
           const ElfW(Shdr) * strings, struct weft_symbols *s, uint32_t mapping)
{
    if (!is_inside(f, table->sh_offset, table->sh_size, 1) ||
        !is_inside(f, strings->sh_offset, strings->sh_size, 1) ||
        strings->sh_size == 0 || table->sh_offset % sizeof(void *) != 0)
        return;
    const ElfW(Sym) *y = (const void *)(f->bytes + table->sh_offset);
    const char *names = (const char *)(f->bytes + strings->sh_offset);
    if (names[strings->sh_size - 1] != '\0')
        return;
    for (size_t i = 0; i < table->sh_size / sizeof(*y); i++)
        if (ELF64_ST_TYPE(y[i].st_info) == STT_FUNC &&
            y[i].st_shndx != SHN_UNDEF && y[i].st_name < strings->sh_size)
            match(&y[i], names + y[i].st_name, s, mapping);
}

static void
read_tables(const struct file *f, const ElfW(Ehdr) * h, struct weft_symbols *s,
            uint32_t mapping)
{
    const ElfW(Shdr) *table = NULL;

    if (h->e_shentsize != sizeof(ElfW(Shdr)) ||
        h->e_shoff % sizeof(void *) != 0 ||
        !is_inside(f, h->e_shoff, h->e_shnum, sizeof(ElfW(Shdr))))
        return;
    const ElfW(Shdr) *sections = (const void *)(f->bytes + h->e_shoff);
    for (unsigned i = 0; i < h->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB ||
            (sections[i].sh_type == SHT_DYNSYM && table == NULL))
            table = &sections[i];
    if (table != NULL && table->sh_link < h->e_shnum)
        read_table(f, table, &sections[table->sh_link], s, mapping);
}

static void
read_file(const char *path, struct weft_symbols *s, uint32_t mapping)
{
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        struct file f = {NULL, (size_t)about.st_size};
        void *bytes = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            f.bytes = bytes;
            const ElfW(Ehdr) *h = header_of(&f);
            if (h != NULL) {
                place_all(&f, h, s, mapping);
                read_tables(&f, h, s, mapping);
            }
            munmap(bytes, f.size);
        }
    }
    close(fd);
}

/* Say of each address in the mapping where it is; true if there is one. */
static bool
claim(const struct mapping *m, struct weft_symbols *s, uint32_t mapping)
{
    const char *slash = strrchr(m->path, '/');
    bool some = false;

    for (size_t k = 0; k < s->count; k++) {
        struct weft_symbol *y = &s->list[k];
        if (y->address < m->begin || y->address >= m->end)
            continue;
        some = true;
        y->mapping = mapping;
        y->place = y->address - m->begin + m->offset;
        weft_symbol_copy_(y->module, sizeof(y->module),
                          slash != NULL ? slash + 1 : m->path);
    }
    return some;
}

void
weft_symbols_read_elf_(struct weft_symbols *s)
{
    struct lines lines = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    char line[640];
    uint32_t number = 0;

    if (lines.fd < 0)
        return;
    while (next_line(&lines, line, sizeof(line))) {
        struct mapping m;
        number++;
        if (read_mapping(line, &m) && claim(&m, s, number) && m.path[0] == '/')
            read_file(m.path, s, number);
    }
    close(lines.fd);
}

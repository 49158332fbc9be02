/* SPDX-License-Identifier: MIT */
/*
 * sanitizer.c - whether a program is linked with the library of a sanitizer.
 *
 * That of addresses wants to be the first that is preloaded, and ends a program
 * in which it is not; that of threads starts each thread itself, so the hooks
 * never see one.  The names of libraries are among the dynamic strings of the
 * file, which are looked through as they are, in pieces.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "deadlock/sanitizer.h"

static bool
read_program(int fd, const Elf64_Ehdr *h, unsigned i, Elf64_Phdr *p)
{
    return pread(fd, p, sizeof(*p), (off_t)(h->e_phoff + i * sizeof(*p))) ==
           (ssize_t)sizeof(*p);
}

/* Where in the file an address will come from; 0: nowhere. */
static off_t
offset_of(int fd, const Elf64_Ehdr *h, Elf64_Addr address)
{
    Elf64_Phdr p;

    for (unsigned i = 0; i < h->e_phnum; i++)
        if (read_program(fd, h, i, &p) && p.p_type == PT_LOAD &&
            address - p.p_vaddr < p.p_filesz)
            return (off_t)(p.p_offset + (address - p.p_vaddr));
    return 0;
}

/* Find the dynamic strings; false: there are none. */
static bool
find_strings(int fd, const Elf64_Ehdr *h, off_t *at, size_t *bytes)
{
    Elf64_Phdr p = {.p_type = PT_NULL};
    Elf64_Dyn d;

    *at = 0;
    *bytes = 0;
    for (unsigned i = 0; i < h->e_phnum && p.p_type != PT_DYNAMIC; i++)
        if (!read_program(fd, h, i, &p))
            return false;
    if (p.p_type != PT_DYNAMIC)
        return false;
    for (Elf64_Xword n = 0; n < p.p_filesz; n += sizeof(d)) {
        if (pread(fd, &d, sizeof(d), (off_t)(p.p_offset + n)) !=
                (ssize_t)sizeof(d) ||
            d.d_tag == DT_NULL)
            break;
        if (d.d_tag == DT_STRTAB)
            *at = offset_of(fd, h, d.d_un.d_ptr);
        else if (d.d_tag == DT_STRSZ)
            *bytes = d.d_un.d_val;
    }
    return *at != 0 && *bytes != 0;
}

const char *
weft_sanitizer_of_(int fd, const Elf64_Ehdr *h)
{
    static const char *const names[] = {"libasan.so", "libtsan.so",
                                        "libclang_rt.asan", "libclang_rt.tsan"};
    char text[4096];
    const size_t lap = 32; /* longer than any of the names */
    off_t at;
    size_t bytes;

    if (!find_strings(fd, h, &at, &bytes))
        return NULL;
    for (size_t from = 0; from < bytes; from += sizeof(text) - lap) {
        const size_t left = bytes - from;
        const ssize_t n =
            pread(fd, text, left < sizeof(text) ? left : sizeof(text),
                  at + (off_t)from);
        for (size_t i = 0; n > 0 && i < sizeof(names) / sizeof(names[0]); i++)
            if (memmem(text, (size_t)n, names[i], strlen(names[i])) != NULL)
                return names[i];
    }
    return NULL;
}

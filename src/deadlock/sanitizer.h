/* SPDX-License-Identifier: MIT */
/*
 * deadlock/sanitizer.h - whether a program is built with a sanitizer that
 * cannot share it.
 */
#ifndef WEFT_DEADLOCK_SANITIZER_H
#define WEFT_DEADLOCK_SANITIZER_H

#include <elf.h>

/* The library of a sanitizer that an ELF file is linked with; NULL: none. */
const char *weft_sanitizer_of_(int fd, const Elf64_Ehdr *h);

#endif /* WEFT_DEADLOCK_SANITIZER_H */

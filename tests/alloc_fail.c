/* SPDX-License-Identifier: MIT */
/*
 * alloc_fail.c - the linker sends each call of malloc to __wrap_malloc, and
 * __real_malloc to whatever malloc is: the system's, or a sanitizer's.
 * Check is part of the link too; its blocks are told apart by when they were
 * allocated.
 *
 * Ordering.  No word here carries data; everything is relaxed.
 */
#include "alloc_fail.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* The names are the linker's. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
int __real_posix_memalign(void **out, size_t align, size_t bytes);
void __real_free(void *block);
void *__real_mmap(void *at, size_t bytes, int prot, int flags, int fd,
                  off_t offset);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
int __wrap_posix_memalign(void **out, size_t align, size_t bytes);
void __wrap_free(void *block);
void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd,
                  off_t offset);

/* Blocks watched at once; more end the test. */
#define BLOCKS 4096

static _Atomic bool armed;
static _Atomic unsigned victim; /* the number of the one that fails; 0: none */
static _Atomic unsigned asked;  /* allocations since alloc_fail_at */
static _Atomic unsigned live;   /* entries of `watched` in use */
static _Atomic uintptr_t watched[BLOCKS]; /* allocated while armed; 0: free */

void
alloc_fail_at(unsigned k)
{
    atomic_store_explicit(&victim, k, memory_order_relaxed);
    atomic_store_explicit(&asked, 0, memory_order_relaxed);
    atomic_store_explicit(&armed, true, memory_order_relaxed);
}

unsigned
alloc_fail_stop(void)
{
    atomic_store_explicit(&armed, false, memory_order_relaxed);
    return atomic_load_explicit(&asked, memory_order_relaxed);
}

unsigned
alloc_live(void)
{
    return atomic_load_explicit(&live, memory_order_relaxed);
}

static bool
is_victim(void)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed))
        return false;
    const unsigned n =
        atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
    if (n != atomic_load_explicit(&victim, memory_order_relaxed))
        return false;
    errno = ENOMEM;
    return true;
}

/* Replace one entry `from` by `to`, if there is one. */
static bool
replace(uintptr_t from, uintptr_t to)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        uintptr_t seen =
            atomic_load_explicit(&watched[i], memory_order_relaxed);
        if (seen == from && atomic_compare_exchange_strong_explicit(
                                &watched[i], &seen, to, memory_order_relaxed,
                                memory_order_relaxed))
            return true;
    }
    return false;
}

static void
note(void *block)
{
    if (block == NULL)
        return;
    if (!replace(0, (uintptr_t)block)) {
        fputs("alloc_fail: more blocks than it can watch\n", stderr);
        abort();
    }
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
}

static void *
watch(void *block)
{
    if (atomic_load_explicit(&armed, memory_order_relaxed))
        note(block);
    return block;
}

/* Only the thread that frees `block` looks for it, so the count is exact. */
static bool
unwatch(void *block)
{
    if (block == NULL || alloc_live() == 0 || !replace((uintptr_t)block, 0))
        return false;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    return true;
}

void *
__wrap_malloc(size_t bytes)
{
    return is_victim() ? NULL : watch(__real_malloc(bytes));
}

void *
__wrap_calloc(size_t n, size_t bytes)
{
    return is_victim() ? NULL : watch(__real_calloc(n, bytes));
}

void *
__wrap_aligned_alloc(size_t align, size_t bytes)
{
    return is_victim() ? NULL : watch(__real_aligned_alloc(align, bytes));
}

int
__wrap_posix_memalign(void **out, size_t align, size_t bytes)
{
    const int error =
        is_victim() ? ENOMEM : __real_posix_memalign(out, align, bytes);

    if (error == 0)
        watch(*out);
    return error;
}

void *
__wrap_realloc(void *old, size_t bytes)
{
    if (is_victim())
        return NULL; /* and the old block stays */
    /* Out before the call: afterwards the address may be somebody else's. */
    const bool was_watched = unwatch(old);
    void *block = __real_realloc(old, bytes);
    if (was_watched && block == NULL && bytes > 0)
        note(old);
    else if (was_watched)
        note(block);
    else if (old == NULL)
        watch(block);
    return block;
}

void
__wrap_free(void *block)
{
    unwatch(block);
    __real_free(block);
}

void *
__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    return is_victim() ? MAP_FAILED
                       : __real_mmap(at, bytes, prot, flags, fd, offset);
}

/* SPDX-License-Identifier: MIT */
/*
 * shim_free.c - memory with locks in it that is given back.
 *
 * Many locks are never destroyed, those of C++ least of all: their memory is
 * freed, and another lock lies there.  To learn that, each free and realloc is
 * looked at; a filter of lines and pages in which locks were ever seen makes that
 * cheap.
 *
 * A program with a malloc of its own has a free of its own, too, and its locks
 * are then forgotten only when they are initialised or destroyed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>

#include "deadlock/shim_order.h"

#define BITS 65536
#define LINE 6 /* bits of an address */
#define PAGE 12
#define FEW  16 /* lines are looked at up to so many */

static _Atomic uint64_t lines[BITS / 64];
static _Atomic uint64_t pages[BITS / 64];

typedef void (*free_call)(void *);
typedef void *(*realloc_call)(void *, size_t);
static _Atomic(free_call) real_free;
static _Atomic(realloc_call) real_realloc;
static _Atomic bool sizes_known;

static void
set(_Atomic uint64_t *bits, uintptr_t at)
{
    const uint64_t bit = UINT64_C(1) << at % 64;
    _Atomic uint64_t *word = &bits[at % BITS / 64];

    if ((atomic_load_explicit(word, memory_order_relaxed) & bit) == 0)
        atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
}

/* Side by side they are in one word. */
static bool
any_set(const _Atomic uint64_t *bits, uintptr_t from, uintptr_t to)
{
    for (uintptr_t at = from; at <= to; at += 64 - at % 64) {
        const uint64_t word =
            atomic_load_explicit(&bits[at % BITS / 64], memory_order_relaxed) >>
            at % 64;
        const uintptr_t n = to - at;
        if ((n < 63 ? word & ((UINT64_C(2) << n) - 1) : word) != 0)
            return true;
    }
    return false;
}

void
weft_shim_seen_at_(const void *lock)
{
    set(lines, (uintptr_t)lock >> LINE);
    set(pages, (uintptr_t)lock >> PAGE);
}

static bool
may_have_locks(const void *p, size_t bytes)
{
    const uintptr_t first = (uintptr_t)p;
    const uintptr_t last = first + bytes - 1;

    if (!any_set(pages, first >> PAGE, last >> PAGE))
        return false;
    return (last >> LINE) - (first >> LINE) >= FEW ||
           any_set(lines, first >> LINE, last >> LINE);
}

void
weft_shim_forgets_lock_(const void *lock, size_t bytes)
{
    if (may_have_locks(lock, bytes))
        weft_shim_forgets_(lock, bytes);
}

/* A lookup may free the words of an error before it: these are left. */
static __attribute__((noinline)) free_call
find_free(void)
{
    static _Thread_local bool looks;
    free_call found = NULL;
    realloc_call resize = NULL;
    Dl_info a;
    Dl_info b;

    if (looks)
        return NULL;
    looks = true;
    *(void **)&found = dlsym(RTLD_NEXT, "free");
    *(void **)&resize = dlsym(RTLD_NEXT, "realloc");
    void *size = dlsym(RTLD_NEXT, "malloc_usable_size");
    if (found != NULL && size != NULL && dladdr(size, &b) != 0 &&
        dladdr(*(void **)&found, &a) != 0 && a.dli_fbase == b.dli_fbase)
        atomic_store_explicit(&sizes_known, true, memory_order_relaxed);
    atomic_store_explicit(&real_realloc, resize, memory_order_relaxed);
    atomic_store_explicit(&real_free, found, memory_order_relaxed);
    looks = false;
    return found;
}

/* The locks in a block of memory are no more. */
static inline void
forgets_block(void *p)
{
    const struct weft_shim_thread *t = weft_shim_me_;

    if (p == NULL || t == NULL || t->order.graph == NULL ||
        !atomic_load_explicit(&sizes_known, memory_order_relaxed))
        return;
    const size_t bytes = malloc_usable_size(p);
    if (__builtin_expect(bytes > 0 && may_have_locks(p, bytes), 0))
        weft_shim_forgets_(p, bytes);
}

WEFT_HOOK void
free(void *p)
{
    free_call real = atomic_load_explicit(&real_free, memory_order_relaxed);

    if (__builtin_expect(real == NULL, 0))
        real = find_free();
    if (__builtin_expect(real == NULL, 0))
        return;
    forgets_block(p);
    real(p);
}

/* Where the block stays where it was its locks do, too, and what was known of
 * them is lost.  To ask first, and forget afterwards, would be too late: another
 * thread may have the memory by then. */
WEFT_HOOK void *
realloc(void *p, size_t bytes)
{
    realloc_call real =
        atomic_load_explicit(&real_realloc, memory_order_relaxed);

    if (__builtin_expect(real == NULL, 0)) {
        find_free();
        real = atomic_load_explicit(&real_realloc, memory_order_relaxed);
    }
    if (__builtin_expect(real == NULL, 0)) {
        errno = ENOMEM;
        return NULL;
    }
    forgets_block(p);
    return real(p, bytes);
}

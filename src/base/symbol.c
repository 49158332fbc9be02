/* SPDX-License-Identifier: MIT */
/*
 * symbol.c - a set of addresses, and the copy of the process that names them.
 *
 * Who asks may be the last thread of a hung process that can do anything at
 * all: another may sleep for ever with malloc's lock, or with the dynamic
 * linker's.  libdw needs both.  So it works in a copy: clone without
 * CLONE_VM and without a signal at its end, which runs none of fork's
 * handlers and takes none of its locks.  The set is shared with the copy, which
 * first does what needs no lock; whatever it has written when it ends, or is
 * ended, is there.  If a lock is held for ever, it is held in the copy too; then
 * the copy hangs in the second step, and the names of the first remain.
 *
 * Where no copy can be had, the first step is taken here.
 *
 * Ordering.  Relaxed words only; the wait for the copy's end orders the rest.
 */
#include "base/symbol.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/park.h"

void
weft_symbol_copy_(char *to, size_t room, const char *from)
{
    const size_t n = strnlen(from, room - 1);

    memcpy(to, from, n);
    to[n] = '\0';
}

struct weft_symbols *
weft_symbols_create_(size_t room)
{
    size_t slots = 64;

    while (slots < 2 * room)
        slots *= 2;
    const size_t list =
        sizeof(struct weft_symbols) + room * sizeof(struct weft_symbol);
    const size_t bytes = list + slots * sizeof(uint32_t);
    struct weft_symbols *s = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    s->bytes = bytes;
    s->room = room;
    s->slots = slots;
    s->slot = (uint32_t *)(void *)((char *)s + list);
    return s;
}

void
weft_symbols_destroy_(struct weft_symbols *s)
{
    if (s != NULL)
        munmap(s, s->bytes);
}

/* The slot where `address` is, or would be. */
static uint32_t *
slot_of(const struct weft_symbols *s, uintptr_t address)
{
    size_t at = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 20);

    for (;; at++) {
        uint32_t *slot = &s->slot[at & (s->slots - 1)];
        if (*slot == 0 || s->list[*slot - 1].address == address)
            return slot;
    }
}

void
weft_symbols_add_(struct weft_symbols *s, uintptr_t address)
{
    uint32_t *slot = slot_of(s, address);

    if (*slot != 0 || s->count == s->room)
        return;
    s->list[s->count++].address = address;
    *slot = (uint32_t)s->count;
}

const struct weft_symbol *
weft_symbols_get_(const struct weft_symbols *s, uintptr_t address)
{
    const uint32_t slot = *slot_of(s, address);

    return slot != 0 ? &s->list[slot - 1] : NULL;
}

/* Wait until the copy has ended; end it if it takes too long. */
static void
wait_for_copy(pid_t copy, weft_deadline deadline)
{
    _Atomic uint32_t nobody_wakes_us = 0;
    pid_t ended;

    while ((ended = waitpid(copy, NULL, __WALL | WNOHANG)) == 0 ||
           (ended < 0 && errno == EINTR)) {
        if (weft_clock_ns_() >= deadline)
            kill(copy, SIGKILL);
        (void)!weft_park_wait_(&nobody_wakes_us, 0, weft_in_ms(1));
    }
}

void
weft_symbols_find_(struct weft_symbols *s, weft_deadline deadline)
{
    const int saved = errno;
    sigset_t all;
    sigset_t mine;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine); /* the copy runs no handler */
    const pid_t copy = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
    if (copy == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        weft_symbols_read_elf_(s);
        weft_symbols_read_dwarf_(s);
        syscall(SYS_exit_group, 0); /* no handler of exit, no sanitizer */
    }
    if (copy < 0)
        weft_symbols_read_elf_(s);
    else
        wait_for_copy(copy, deadline);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    errno = saved;
}

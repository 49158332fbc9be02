/* SPDX-License-Identifier: MIT */
/*
 * shim_kernel.c - what the kernel knows of the threads and memory of this
 * process; with system calls only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "deadlock/shim.h"

/* Read it from a file that is this process; `refused`: that cannot be done, or,
 * as in an emulator, it has other addresses. */
static bool
copy_from_file(const void *from, void *to, size_t bytes, bool *refused)
{
    const uintptr_t here = (uintptr_t)&here ^ UINT32_MAX;
    uintptr_t seen = 0;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/mem",
                                O_RDONLY | O_CLOEXEC);
    bool done = false;

    *refused = true;
    if (fd < 0)
        return false;
    syscall(SYS_pread64, fd, &seen, sizeof(seen), (off_t)(uintptr_t)&here);
    if (seen == here) {
        *refused = false;
        done = syscall(SYS_pread64, fd, to, bytes, (off_t)(uintptr_t)from) ==
               (long)bytes;
    }
    syscall(SYS_close, fd);
    return done;
}

/* Read it; `refused`: that is not allowed, as in a sandbox. */
static bool
copy(const void *from, void *to, size_t bytes, bool *refused)
{
    struct iovec there = {(void *)(uintptr_t)from, bytes};
    struct iovec here = {to, bytes};
    const int saved = errno;
    const ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

    *refused = n < 0 && errno != EFAULT;
    const bool done = *refused ? copy_from_file(from, to, bytes, refused)
                               : n == (ssize_t)bytes;
    errno = saved;
    return done;
}

bool
weft_shim_peek_(const void *from, void *to, size_t bytes)
{
    bool refused;

    if (copy(from, to, bytes, &refused))
        return true;
    if (refused) /* what a thread waits for is there */
        memcpy(to, from, bytes);
    return refused;
}

bool
weft_shim_peek_gone_(const void *from, void *to, size_t bytes)
{
    bool refused;

    return copy(from, to, bytes, &refused);
}

/* Read a small file of /proc; "" if there is none.  The functions of libc would
 * be points of cancellation. */
static void
read_small(const char *path, char *text, size_t room)
{
    const int fd =
        (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;

    while (fd >= 0 && used + 1 < room) {
        const ssize_t n = syscall(SYS_read, fd, text + used, room - 1 - used);
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
    text[used] = '\0';
}

static void
read_of_thread(pid_t tid, const char *what, char *text, size_t room)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, what);
    read_small(path, text, room);
}

/* What stands behind `label` in a status file; NULL: it is not there. */
static const char *
value_of(const char *text, const char *label)
{
    const char *at = strstr(text, label);

    return at != NULL ? at + strlen(label) : NULL;
}

struct weft_shim_sleep
weft_shim_sleep_of_(pid_t tid)
{
    struct weft_shim_sleep s = {.exists = false};
    char text[4096];

    read_of_thread(tid, "status", text, sizeof(text));
    const char *state = value_of(text, "\nState:\t");
    const char *went = value_of(text, "\nvoluntary_ctxt_switches:\t");
    const char *taken = value_of(text, "\nnonvoluntary_ctxt_switches:\t");

    if (state == NULL || went == NULL || taken == NULL) {
        s.unknown = syscall(SYS_tgkill, getpid(), tid, 0) == 0;
        s.exists = s.unknown;
        s.state = '?';
        return s;
    }
    s.exists = *state != 'Z' && *state != 'X';
    s.sleeps = *state == 'S';
    s.state = *state;
    s.switches = strtoull(went, NULL, 10) + strtoull(taken, NULL, 10);
    return s;
}

void
weft_shim_name_of_(pid_t tid, char *name, size_t room)
{
    read_of_thread(tid, "comm", name, room);
    name[strcspn(name, "\n")] = '\0';
}

uint32_t
weft_shim_task_count_(void)
{
    struct stat s;

    /* A folder has a link for each folder in it, itself and its parent. */
    return stat("/proc/self/task", &s) == 0 && s.st_nlink > 2
               ? (uint32_t)s.st_nlink - 2
               : 0;
}

uint64_t
weft_shim_caught_(void)
{
    char text[4096];

    read_small("/proc/self/status", text, sizeof(text));
    const char *caught = value_of(text, "\nSigCgt:\t");
    if (caught == NULL)
        return UINT64_MAX;
    /* 32 and 33 are libc's own. */
    return strtoull(caught, NULL, 16) &
           ~(UINT64_C(3) << 31 | weft_shim_own_signals_());
}

bool
weft_shim_catches_(void)
{
    return weft_shim_caught_() != 0;
}

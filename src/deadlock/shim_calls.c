/* SPDX-License-Identifier: MIT */
/*
 * shim_calls.c - what a thread waits for in the kernel, and whether that can
 * only come from within the process.
 *
 * Inner is a wait without a timeout for a futex in memory of the process's own,
 * and for pipes both ends of which are in this process and in no other.  All else
 * could be ended from outside: a socket, a terminal, a child, a clock.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deadlock/shim_dump.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13 /* of Linux 5.14 */
#endif

#define POLLED 16

struct name {
    long number;
    const char *text;
    bool on_file; /* its first argument is a descriptor */
};

static const struct name names[] = {
    {SYS_futex, "futex", false},
    {SYS_read, "read", true},
    {SYS_readv, "readv", true},
    {SYS_write, "write", true},
    {SYS_writev, "writev", true},
    {SYS_pread64, "pread", true},
    {SYS_pwrite64, "pwrite", true},
#ifdef SYS_poll
    {SYS_poll, "poll", false},
    {SYS_select, "select", false},
    {SYS_epoll_wait, "epoll_wait", true},
    {SYS_pause, "pause", false},
#endif
    {SYS_ppoll, "ppoll", false},
    {SYS_pselect6, "pselect", false},
    {SYS_epoll_pwait, "epoll_pwait", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept4", true},
    {SYS_connect, "connect", true},
    {SYS_recvfrom, "recv", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_sendto, "send", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "clock_nanosleep", false},
    {SYS_wait4, "waitpid", false},
    {SYS_waitid, "waitid", false},
    {SYS_rt_sigtimedwait, "sigwait", false},
    {SYS_rt_sigsuspend, "sigsuspend", false},
    {SYS_flock, "flock", true},
    {SYS_fcntl, "fcntl", true},
    {SYS_ioctl, "ioctl", true},
    {SYS_fsync, "fsync", true},
    {SYS_msgrcv, "msgrcv", false},
    {SYS_semop, "semop", false},
    {SYS_semtimedop, "semtimedop", false},
};

/* What a descriptor is, as the kernel says: "pipe:[77]"; "" if it is none. */
static void
link_of(long fd, char *text, size_t room)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
    const ssize_t n = readlink(path, text, room - 1);
    text[n > 0 ? n : 0] = '\0';
}

/* --- in words ------------------------------------------------------------- */

static void
say_file(struct weft_writer *w, long fd)
{
    char link[256];

    link_of(fd, link, sizeof(link));
    weft_writer_say_(w, " of descriptor %ld", fd);
    if (link[0] != '\0')
        weft_writer_say_(w, ", %s", link);
}

/* The descriptors that poll waits for; returns how many are read into `list`,
 * 0: none, or too many. */
static size_t
read_polled(const struct weft_shim_call *c, struct pollfd list[POLLED])
{
    const size_t n = c->arg[1];

    return n <= POLLED && weft_shim_peek_((const void *)c->arg[0], list,
                                          n * sizeof(*list))
               ? n
               : 0;
}

static bool
is_poll(const struct weft_shim_call *c)
{
#ifdef SYS_poll
    if (c->number == SYS_poll)
        return true;
#endif
    return c->number == SYS_ppoll;
}

void
weft_shim_write_call_(struct weft_writer *w, const struct weft_shim_call *c)
{
    struct pollfd list[POLLED];
    const size_t polled = is_poll(c) ? read_polled(c, list) : 0;
    size_t i = 0;

    while (i < sizeof(names) / sizeof(names[0]) && names[i].number != c->number)
        i++;
    if (i == sizeof(names) / sizeof(names[0])) {
        weft_writer_say_(w, "system call %ld", c->number);
        return;
    }
    weft_writer_say_(w, "%s", names[i].text);
    if (names[i].on_file)
        say_file(w, (int)c->arg[0]);
    else if (c->number == SYS_futex)
        weft_writer_say_(w, " at %p", (const void *)c->arg[0]);
    for (size_t k = 0; k < polled; k++)
        say_file(w, list[k].fd);
}

/* --- who could end it ----------------------------------------------------- */

/* Whether an address lies in memory that other processes may have, too. */
static bool
is_shared(uintptr_t address)
{
    static char text[65536];
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t n;
    bool shared = true; /* unless a line says so */

    while (fd >= 0 &&
           (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0) {
        char *at = text;
        used += (size_t)n;
        text[used] = '\0';
        for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
            char *rest;
            const uintptr_t from = (uintptr_t)strtoull(at, &rest, 16);
            const uintptr_t to = (uintptr_t)strtoull(rest + 1, &rest, 16);
            if (from <= address && address < to)
                shared = rest[4] != 'p';
        }
        used -= (size_t)(at - text);
        memmove(text, at, used);
    }
    if (fd >= 0)
        close(fd);
    return shared;
}

static bool
is_inner_futex(const struct weft_shim_call *c)
{
    const int what = (int)c->arg[1] & FUTEX_CMD_MASK;

    if (what != FUTEX_WAIT && what != FUTEX_WAIT_BITSET &&
        what != FUTEX_LOCK_PI && what != FUTEX_LOCK_PI2 &&
        what != FUTEX_WAIT_REQUEUE_PI)
        return false;
    return c->arg[3] == 0 && (((int)c->arg[1] & FUTEX_PRIVATE_FLAG) != 0 ||
                              !is_shared(c->arg[0]));
}

static bool
is_inner_file(long fd)
{
    char link[256];

    link_of(fd, link, sizeof(link));
    return strncmp(link, "pipe:[", 6) == 0 && weft_shim_is_own_pipe_(link);
}

static bool
is_inner_poll(const struct weft_shim_call *c)
{
    struct pollfd list[POLLED];
    const size_t n = read_polled(c, list);

    if (c->number == SYS_ppoll ? c->arg[2] != 0 : (int)c->arg[2] >= 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (list[i].fd < 0 || !is_inner_file(list[i].fd))
            return false;
    return n > 0;
}

bool
weft_shim_is_inner_(const struct weft_shim_call *c)
{
    if (!c->known)
        return false;
    if (c->number == SYS_futex)
        return is_inner_futex(c);
    if (c->number == SYS_read || c->number == SYS_readv ||
        c->number == SYS_write || c->number == SYS_writev)
        return is_inner_file((int)c->arg[0]);
    return is_poll(c) && is_inner_poll(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * shim_pipes.c - whether a pipe belongs to this process alone: it has both ends,
 * and no other process that can be looked at has one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deadlock/shim_dump.h"

/* As the kernel lays an entry of a folder out. */
struct entry {
    uint64_t inode;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

bool
weft_shim_visit_numbers_(const char *folder, weft_shim_visit *visit, void *arg)
{
    _Alignas(struct entry) char buffer[4096];
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = false;
    long n;

    while (fd >= 0 && !found &&
           (n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
        for (long at = 0; at < n && !found;) {
            const struct entry *e = (const void *)(buffer + at);
            at += e->length;
            if (e->name[0] >= '0' && e->name[0] <= '9')
                found = visit(strtol(e->name, NULL, 10), arg);
        }
    if (fd >= 0)
        close(fd);
    return found;
}

struct pipe {
    const char *link;
    long process;
    bool is_read; /* here, by a descriptor */
    bool is_written;
};

static bool
is_it(const struct pipe *p, long fd)
{
    char path[64];
    char link[64];

    snprintf(path, sizeof(path), "/proc/%ld/fd/%ld", p->process, fd);
    const ssize_t n = readlink(path, link, sizeof(link) - 1);
    link[n > 0 ? n : 0] = '\0';
    return strcmp(link, p->link) == 0;
}

static bool
add_end(long fd, void *arg)
{
    struct pipe *p = arg;
    const int flags = is_it(p, fd) ? fcntl((int)fd, F_GETFL) : -1;

    if (flags < 0)
        return false;
    p->is_read = p->is_read || (flags & O_ACCMODE) != O_WRONLY;
    p->is_written = p->is_written || (flags & O_ACCMODE) != O_RDONLY;
    return false;
}

static bool
has_it(long fd, void *arg)
{
    return is_it(arg, fd);
}

static bool
is_in_process(long process, void *arg)
{
    struct pipe *p = arg;
    char folder[64];

    if (process == (long)getpid())
        return false;
    p->process = process;
    snprintf(folder, sizeof(folder), "/proc/%ld/fd", process);
    return weft_shim_visit_numbers_(folder, has_it, p);
}

bool
weft_shim_is_own_pipe_(const char *link)
{
    struct pipe p = {.link = link, .process = (long)getpid()};

    weft_shim_visit_numbers_("/proc/self/fd", add_end, &p);
    return p.is_read && p.is_written &&
           !weft_shim_visit_numbers_("/proc", is_in_process, &p);
}

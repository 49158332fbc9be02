/* SPDX-License-Identifier: MIT */
/*
 * task.c - /proc/self/task, without opendir, stdio or any other call that
 * might want a lock.
 */
#include "thread/task.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

size_t
weft_tasks_list_(pid_t *ids, size_t room)
{
    _Alignas(struct dirent64) char buffer[2048];
    const int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t n = 0;
    long got;

    if (fd < 0)
        return 0;
    while ((got = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
        for (long at = 0; at < got;) {
            const struct dirent64 *e = (const void *)(buffer + at);
            const pid_t id = (pid_t)strtol(e->d_name, NULL, 10);
            at += e->d_reclen;
            if (id <= 0)
                continue; /* "." and ".." */
            if (n < room)
                ids[n] = id;
            n++;
        }
    close(fd);
    return n;
}

/* Read a file about a task as a string; false if there is none. */
static bool
read_about(pid_t id, const char *what, char *text, size_t room)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)id, what);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, room - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* What follows `key` in a line of its own; NULL: nothing. */
static const char *
value_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at == NULL ? NULL : at + strlen(key);
}

static uint64_t
number_of(const char *text, const char *key, int base)
{
    const char *at = value_of(text, key);

    return at != NULL ? strtoull(at, NULL, base) : 0;
}

bool
weft_task_read_state_(pid_t id, struct weft_task *t)
{
    char text[4096];

    *t = (struct weft_task){.system_call = -1};
    if (!read_about(id, "status", text, sizeof(text)))
        return false;
    const char *name = value_of(text, "Name:\t");
    const char *state = value_of(text, "\nState:\t");
    if (name != NULL) {
        const size_t n = strcspn(name, "\n");
        snprintf(t->name, sizeof(t->name), "%.*s", (int)n, name);
    }
    t->state = state != NULL ? *state : '?';
    t->blocked = number_of(text, "\nSigBlk:\t", 16);
    t->caught = number_of(text, "\nSigCgt:\t", 16);
    t->switches = number_of(text, "\nvoluntary_ctxt_switches:\t", 10) +
                  number_of(text, "\nnonvoluntary_ctxt_switches:\t", 10);
    return t->state != 'Z' && t->state != 'X';
}

bool
weft_task_read_(pid_t id, struct weft_task *t)
{
    char text[512];
    const bool is_there = weft_task_read_state_(id, t);

    if (read_about(id, "syscall", text, sizeof(text)) && text[0] >= '0' &&
        text[0] <= '9')
        t->system_call = (int)strtol(text, NULL, 10);
    if (read_about(id, "wchan", text, sizeof(text)) && text[0] != '0')
        snprintf(t->wchan, sizeof(t->wchan), "%.31s", text);
    return is_there;
}

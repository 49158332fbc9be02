/* SPDX-License-Identifier: MIT */
/*
 * shim_tasks.c - all threads of the process as the kernel has them, and in
 * which system call each of them is.
 *
 * Where a call was made: its stack has the address to return to near its end,
 * as libc's functions around system calls have small frames.  The first words
 * are looked at for addresses behind a call instruction; what is no code of the
 * program's, the report finds out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deadlock/shim_dump.h"

#define WORDS 48 /* of a stack */

static size_t
read_file(pid_t tid, const char *what, char *text, size_t room)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, what);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, text, room - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void
read_call(pid_t tid, struct weft_shim_call *c)
{
    char text[512];
    char *at = text;

    memset(c, 0, sizeof(*c));
    c->number = -1;
    const size_t n = read_file(tid, "syscall", text, sizeof(text));
    if (n == 0)
        return;
    c->known = true;
    if (strncmp(text, "running", 7) == 0)
        return;
    c->number = strtol(at, &at, 10);
    for (int i = 0; c->number >= 0 && i < 6; i++)
        c->arg[i] = (uintptr_t)strtoull(at, &at, 16);
    c->stack = (uintptr_t)strtoull(at, &at, 16);
    c->code = (uintptr_t)strtoull(at, &at, 16);
}

/* Whether the code in front of an address is a call. */
static bool
is_behind_call(uintptr_t address)
{
#if defined(__x86_64__)
    unsigned char code[7];

    if (address < 4096 ||
        !weft_shim_peek_((const void *)(address - 7), code, sizeof(code)))
        return false;
    return code[2] == 0xe8 || (code[1] == 0xff && code[2] == 0x15) ||
           (code[5] == 0xff && (code[6] & 0xf8) == 0xd0) ||
           (code[4] == 0x41 && code[5] == 0xff && (code[6] & 0xf8) == 0xd0) ||
           (code[4] == 0xff && (code[5] & 0xf8) == 0x50) ||
           (code[1] == 0xff && (code[2] & 0xf8) == 0x90);
#else
    uint32_t code;

    return address % 4 == 0 && address >= 4096 &&
           weft_shim_peek_((const void *)(address - 4), &code, sizeof(code)) &&
           ((code & 0xfc000000) == 0x94000000 || /* bl, blr */
            (code & 0xfffffc1f) == 0xd63f0000);
#endif
}

/* Gather what may be calls on the stack, the innermost first. */
static void
read_place(const struct weft_shim_call *c, struct weft_dl_place *p)
{
    uintptr_t words[WORDS];
    size_t n = WORDS;
    int used = 0;

    memset(p, 0, sizeof(*p));
    while (n > 0 && !weft_shim_peek_((const void *)c->stack, words,
                                     n * sizeof(words[0])))
        n /= 2;
    for (size_t i = 0; i < n && used < WEFT_DL_PLACES; i++)
        if (is_behind_call(words[i]))
            p->call[used++] = words[i] - 1;
}

static bool
add_task(long tid, void *arg)
{
    struct weft_shim_tasks *t = arg;

    if (tid == syscall(SYS_gettid))
        return false;
    t->count++;
    if (t->used < WEFT_SHIM_TASKS)
        t->list[t->used++].tid = (pid_t)tid;
    return false;
}

void
weft_shim_list_tasks_(struct weft_shim_tasks *t)
{
    t->count = 0;
    t->used = 0;
    weft_shim_visit_numbers_("/proc/self/task", add_task, t);
    for (uint32_t i = 0; i < t->used; i++)
        t->list[i].sleep = weft_shim_sleep_of_(t->list[i].tid);
}

void
weft_shim_describe_tasks_(struct weft_shim_tasks *t)
{
    for (uint32_t i = 0; i < t->used; i++) {
        struct weft_shim_task *x = &t->list[i];
        weft_shim_name_of_(x->tid, x->name, sizeof(x->name));
        read_call(x->tid, &x->call);
        read_place(&x->call, &x->place);
    }
}

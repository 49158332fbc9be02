/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim_dump.h - what every thread of the program does, by the kernel
 * and by its record; and when that is to be said: after a time, on a signal, or
 * when nothing has run for a while.
 */
#ifndef WEFT_DEADLOCK_SHIM_DUMP_H
#define WEFT_DEADLOCK_SHIM_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/writer.h"
#include "deadlock/report.h"
#include "deadlock/shim.h"

#define WEFT_SHIM_TASKS 1024 /* more threads than that are only counted */

/* The system call in which a thread is. */
struct weft_shim_call {
    bool known;  /* the kernel tells */
    long number; /* -1: in none */
    uintptr_t arg[6];
    uintptr_t stack;
    uintptr_t code;
};

/* A thread, as the kernel has it. */
struct weft_shim_task {
    pid_t tid;
    struct weft_shim_sleep sleep;
    struct weft_shim_call call;
    struct weft_dl_place place; /* of the call: what its stack may say */
    char name[16];
};

/* All threads but the checker, which is who asks. */
struct weft_shim_tasks {
    uint32_t count; /* of them all */
    uint32_t used;  /* in the list */
    struct weft_shim_task list[WEFT_SHIM_TASKS];
};

/* Read them: their states, then all else. */
void weft_shim_list_tasks_(struct weft_shim_tasks *t);
void weft_shim_describe_tasks_(struct weft_shim_tasks *t);

/* Write a system call in words: "read of descriptor 3, pipe:[77]". */
void weft_shim_write_call_(struct weft_writer *w,
                           const struct weft_shim_call *c);

/* Whether nobody outside of this process, and no clock, can end that call, as
 * far as this process can see. */
bool weft_shim_is_inner_(const struct weft_shim_call *c);

/* Whether a pipe, by its name in /proc, has both ends in this process and, as far
 * as can be seen, in no other. */
bool weft_shim_is_own_pipe_(const char *link);

/* Visit every number that is a name in a folder, without malloc, until `visit`
 * returns true; whether it did. */
typedef bool weft_shim_visit(long number, void *arg);
bool weft_shim_visit_numbers_(const char *folder, weft_shim_visit *visit,
                              void *arg);

/*
 * Say what all threads do.
 *
 *   headline   the first line of the text
 *   shape      what JSON calls it
 *   doubt      a last line; NULL: none, it is a fact and not to be suppressed
 *   returns    false: it was suppressed
 */
bool weft_shim_dump_(const char *headline, const char *shape,
                     const char *doubt);

/* Read what the command line asks for, and start the checker if it is to do
 * something in time; its next duty is due in that many milliseconds, -1: none
 * is; do what is due. */
void weft_shim_begin_duties_(void);
int64_t weft_shim_due_ms_(void);
void weft_shim_do_duties_(void);

/* In a child of fork that is not watched: it has no duties. */
void weft_shim_forget_duties_(void);

#endif /* WEFT_DEADLOCK_SHIM_DUMP_H */

/* SPDX-License-Identifier: MIT */
/*
 * thread/task.h - what the kernel says of the threads of this process; with
 * system calls only.
 */
#ifndef WEFT_THREAD_TASK_H
#define WEFT_THREAD_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct weft_task {
    char name[16];     /* as set by pthread_setname_np */
    char state;        /* 'R' runs, 'S' sleeps, 'D', 'T', ...; 0: it is gone */
    uint64_t blocked;  /* signals: bit n - 1 for n */
    uint64_t caught;   /* those with a handler */
    uint64_t switches; /* how often it has left a CPU */
    int system_call;   /* that it sleeps in; -1: none, or not to be known */
    char wchan[32];    /* where in the kernel; empty: not to be known */
};

/* Store the ids of the process's threads, at most `room`; return how many there
 * are. */
size_t weft_tasks_list_(pid_t *ids, size_t room);

/* Read about one; false if it is gone.  `_state_`: not where it sleeps. */
bool weft_task_read_state_(pid_t id, struct weft_task *t);
bool weft_task_read_(pid_t id, struct weft_task *t);

#endif /* WEFT_THREAD_TASK_H */

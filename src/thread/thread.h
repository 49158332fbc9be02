/* SPDX-License-Identifier: MIT */
/*
 * thread/thread.h - the handle of a thread, inside the library.
 *
 * It lies in the room that each record has for it (base/self.h), so every
 * thread that is known has one, also those that Weft did not start, where it is
 * zero bytes.
 */
#ifndef WEFT_THREAD_THREAD_H
#define WEFT_THREAD_THREAD_H

#include <stddef.h>

#include <weft/thread.h>

#include "base/self.h"

struct weft_thread {
    _Atomic uint32_t word; /* thread.c has its states */
    bool daemon;
    bool counted;  /* among those that exit() waits for */
    bool returned; /* `fn` has; else the result is pthread_join's */
    weft_fn *fn;
    void *arg;
    void *result;
    weft_thread *joins; /* without a deadline; under thread.c's lock */

    /* failure.c */
    _Atomic bool failed;
    bool unasked; /* in its list; under its lock */
    weft_error error;
    weft_thread *next;
    weft_thread *previous;
};

_Static_assert(sizeof(struct weft_thread) <= WEFT_SELF_ROOM,
               "it fits into a record");

static inline weft_thread *
weft_thread_of_(struct weft_self *s)
{
    return (weft_thread *)(void *)s->room;
}

static inline struct weft_self *
weft_thread_self_(const weft_thread *t)
{
    return (struct weft_self *)(uintptr_t)((uintptr_t)t -
                                           offsetof(struct weft_self, room));
}

/* failure.c: the thread has failed with `error`, which it takes over. */
void weft_failure_note_(weft_thread *t, weft_error error);

/* Somebody asks for the error; NULL if there is none. */
const weft_error *weft_failure_ask_(weft_thread *t);

/* Give a handle back that may be the last one. */
void weft_failure_release_(weft_thread *t);

/* Report what nobody asked for yet. */
void weft_failure_report_all_(void);

/* thread.c: nobody has a handle any more; under failure.c's lock. */
void weft_thread_detach_(weft_thread *t);

/* exit.c: a thread that exit() waits for starts, and has ended. */
void weft_exit_add_(void);
void weft_exit_remove_(void);

/*
 * Call `hook` when the process exits, before it waits for threads; the hooks
 * run in the reverse order.  For the life of the process.
 *
 *   returns    false if there is no room left
 */
bool weft_at_exit_(void (*hook)(void));

/* Called last of all, if it is not NULL: local.c's. */
extern void (*weft_exit_last_)(void);

#endif /* WEFT_THREAD_THREAD_H */

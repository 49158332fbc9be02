/* SPDX-License-Identifier: MIT */
/*
 * thread/deadlock.h - the parts of the detector.
 */
#ifndef WEFT_THREAD_DEADLOCK_H
#define WEFT_THREAD_DEADLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/deadlock.h>

#include "deadlock/find.h"

/* Return what an object is called; NULL: nothing. */
const char *weft_deadlock_name_of_(const void *object);

/* Do from now on what that policy says. */
void weft_deadlock_set_(enum weft_deadlock_policy how);

/* In a forked child. */
void weft_deadlock_forked_(void);
void weft_deadlock_names_forked_(void);
void weft_deadlock_suppress_forked_(void);

/* Take the environment's text, what follows the policy; say what is wrong. */
void weft_deadlock_words_(const char *text);

/* Say that the environment has a word that nobody knows. */
void weft_deadlock_say_word_(const char *word, size_t length);

/* Where a ranked lock was wanted, and what was held. */
struct weft_broken_rank {
    uint64_t thread;
    const char *name;
    struct weft_dl_held wanted;
    struct weft_dl_held held;
    int wanted_rank;
    int held_rank;
};

/* Write it to stderr; one thread at a time. */
void weft_deadlock_say_rank_(const struct weft_broken_rank *b);

/* Report a broken rank, once for each place. */
void weft_deadlock_broken_(const struct weft_broken_rank *b);

/* Begin to look at ranks, or end it. */
void weft_deadlock_ranks_(bool on);

/* Run that with the lock of all reports; errno stays as it is, and the thread
 * is not cancelled meanwhile. */
void weft_deadlock_alone_(void (*say)(const void *what), const void *what);

/* Begin to predict, or end it; in a forked child. */
void weft_deadlock_order_begin_(void);
void weft_deadlock_order_end_(void);
void weft_deadlock_order_forked_(void);

/* Say what was found and is not said yet; the calling thread has the lock of all
 * reports. */
void weft_deadlock_order_say_(void);

/* That happens: if it is certain, it will not be told as what could.  Return
 * whether it was. */
bool weft_deadlock_order_happens_(const struct weft_dl_picture *p,
                                  const struct weft_dl_found *f);

/* What the environment says of it: ORDER, too; how much memory. */
void weft_deadlock_order_options_(bool plain, size_t bytes);

/* Take what that file names for suppressed; say what is wrong with it. */
void weft_deadlock_suppressions_(const char *path);

/* Whether a report is suppressed, which is counted; one thread at a time. */
bool weft_deadlock_suppresses_(const struct weft_dl_picture *p,
                               const struct weft_dl_found *f);

/* Write one line to stderr; one thread at a time. */
void weft_deadlock_say_line_(const char *line);

/* Write one report to stderr and to the files; one thread at a time. */
void weft_deadlock_say_(const struct weft_dl_picture *p,
                        const struct weft_dl_found *f);

#endif /* WEFT_THREAD_DEADLOCK_H */

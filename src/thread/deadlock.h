/* SPDX-License-Identifier: MIT */
/*
 * thread/deadlock.h - the parts of the detector.
 */
#ifndef WEFT_THREAD_DEADLOCK_H
#define WEFT_THREAD_DEADLOCK_H

#include <stdbool.h>

#include "deadlock/find.h"

/* Return what an object is called; NULL: nothing. */
const char *weft_deadlock_name_of_(const void *object);

/* In a forked child. */
void weft_deadlock_names_forked_(void);

/* Take the files from the environment's text, what follows the policy. */
void weft_deadlock_files_(const char *text);

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

/* Write one report to stderr and to the files; one thread at a time. */
void weft_deadlock_say_(const struct weft_dl_picture *p,
                        const struct weft_dl_found *f);

#endif /* WEFT_THREAD_DEADLOCK_H */

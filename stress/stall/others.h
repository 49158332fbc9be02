/* SPDX-License-Identifier: MIT */
/*
 * others.h - the threads that must not be held up by one that is stopped.
 */
#ifndef STRESS_STALL_OTHERS_H
#define STRESS_STALL_OTHERS_H

#include <stdbool.h>
#include <stdint.h>

#include "stall/subject.h"

/* What has become of them. */
enum fate {
    WENT_ON,  /* each came to the end of its work */
    ASLEEP,   /* one waits in the kernel, inside a call */
    SPINNING, /* one runs, and its call does not end */
    REFUSED,  /* calls end and say FULL or EMPTY, for ever */
    FATES
};

extern const char *const fate_names[FATES];

struct others;

/* NULL if the system grants no more threads. */
struct others *others_start(unsigned count, const struct subject *s);
void others_join(struct others *o);

/* Let them work on `object`, which has been aimed. */
void others_begin(struct others *o, void *object);

/*
 * Wait until they are done or none of those that are not can go on.
 *
 *   patience_ms   how long one must be seen asleep to be called so
 */
enum fate others_watch(struct others *o, unsigned patience_ms);

/*
 * Nobody is stopped any more: tell them to end, and wait for it.
 *
 *   returns    false if one did not within ten seconds
 */
bool others_finish(struct others *o);

#endif /* STRESS_STALL_OTHERS_H */

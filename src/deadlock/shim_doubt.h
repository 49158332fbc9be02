/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim_doubt.h - reports that are not certain, until it is known.
 *
 *   idea       threads that another one may wake are told, and the program goes
 *              on.  If they do, too, that is said, and counts as nothing found;
 *              if not, the program is ended after a while
 */
#ifndef WEFT_DEADLOCK_SHIM_DOUBT_H
#define WEFT_DEADLOCK_SHIM_DOUBT_H

#include "deadlock/shim.h"

/* It is about to be told that these may be stuck. */
void weft_shim_doubt_(const struct weft_shim_picture *p,
                      const struct weft_dl_found *f);

/* Say of whom that is not so any more; whether there are others. */
bool weft_shim_settle_doubts_(void);

/* Whether others are there for too long, which is said: the program is to end. */
bool weft_shim_doubts_too_long_(void);

/* In a child of fork: there are none. */
void weft_shim_forget_doubts_(void);

#endif /* WEFT_DEADLOCK_SHIM_DOUBT_H */

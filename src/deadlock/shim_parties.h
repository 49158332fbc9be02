/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim_parties.h - who has come to a barrier so far.
 *
 *   idea       a barrier whose rounds were always met by the same threads, as
 *              many as it wants, is one for them: a round that one of them will
 *              not come to, because it has ended, is not met.  A thread that
 *              starts others could start one that comes instead
 *   shape      a table of the shim's own, by address; one that finds no place,
 *              has too many parties or different ones is for anybody
 */
#ifndef WEFT_DEADLOCK_SHIM_PARTIES_H
#define WEFT_DEADLOCK_SHIM_PARTIES_H

#include "deadlock/shim.h"

/* `t` comes to a barrier; a round of it was met; it begins or ends. */
void weft_shim_comes_(const struct weft_shim_thread *t,
                      const pthread_barrier_t *b);
void weft_shim_met_(const void *barrier);
void weft_shim_barrier_begins_(const void *barrier);

/* Whether the same threads have always come, in at least one round. */
bool weft_shim_has_parties_(const void *barrier);

/* Whether that thread is one of them. */
bool weft_shim_is_party_(const void *barrier, uint64_t id);

/* In a child of fork. */
void weft_shim_parties_forked_(void);

#endif /* WEFT_DEADLOCK_SHIM_PARTIES_H */

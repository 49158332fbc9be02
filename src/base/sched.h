/* SPDX-License-Identifier: MIT */
/*
 * base/sched.h - schedule points: where a thread that stops hurts others most.
 *
 *     WEFT_SCHED_POINT_("ring.push.claimed");
 *
 * Nothing in normal builds.  After `configure --enable-sched` a thread that
 * comes by yields or sleeps, or mostly neither, as a generator seeded from the
 * environment variable WEFT_SCHED_SEED says; unset or 0 means never.
 */
#ifndef WEFT_BASE_SCHED_H
#define WEFT_BASE_SCHED_H

#include "config.h"

#ifdef WEFT_SCHED
#define WEFT_SCHED_POINT_(name) weft_sched_point_(name)
#else
#define WEFT_SCHED_POINT_(name) ((void)0)
#endif

/* Act at the point `name`. */
void weft_sched_point_(const char *name);

#endif /* WEFT_BASE_SCHED_H */

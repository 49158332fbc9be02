/* SPDX-License-Identifier: MIT */
/*
 * stall.h - stop a thread in the middle of a call, see what the others can do,
 * and go through all the places where it can be stopped.
 */
#ifndef STRESS_STALL_STALL_H
#define STRESS_STALL_STALL_H

#include "scenario.h"
#include "stall/subject.h"

/* The options that every scenario of this command has. */
extern const struct extra stall_extras[];

/* Stop a thread in every operation of every variant of `s`, and report. */
enum outcome stall_run(const struct subject *s, const struct options *o,
                       struct report *r);

#endif /* STRESS_STALL_STALL_H */

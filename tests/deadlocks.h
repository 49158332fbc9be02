/* SPDX-License-Identifier: MIT */
/*
 * deadlocks.h - two locks, who takes them, and what the detector says.
 */
#ifndef TESTS_DEADLOCKS_H
#define TESTS_DEADLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/weft.h>

#include "testing.h"
#include "waiting.h"

extern weft_mutex a;
extern weft_mutex b;

/* From now on stderr is a file in memory; whether what was said so far has
 * `text` in it; and forget it. */
void listen_to_stderr(void);
bool has_said(const char *text);
void forget_what_was_said(void);

/* Whether that file has `text` in it. */
bool file_has(const char *path, const char *text);

/* Start a daemon; its result. */
weft_thread *start(weft_fn *fn, void *arg);
void *join(weft_thread *t);

void *as_pointer(enum weft_status s);

/* From now on it predicts, and reports to where stderr is listened to; all that
 * was said since is about what could happen. */
void enable(void);
void check(size_t predicted);

/* Lock a, or b and then a, for a moment; return how the lock of a went. */
void *lock_a(void *unused);
void *lock_b_then_a(void *unused);

/* Lock both for a moment, in that order; the same behind a gate. */
extern weft_mutex gate;
void *a_then_b(void *unused);
void *b_then_a(void *unused);
void *gate_a_then_b(void *unused);
void *gate_b_then_a(void *unused);

/* One after the other, with nothing that says so: both are started before. */
extern weft_thread *runners[2];
void run_two(weft_fn *first, weft_fn *second);

#endif /* TESTS_DEADLOCKS_H */

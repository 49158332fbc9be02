/* SPDX-License-Identifier: MIT */
/*
 * pool/intake.h - an unbounded queue of jobs, first in first out, for any number
 * of threads on both sides, strictly lock-free.
 *
 *   shape      16 bytes a job, in segments of 64 KiB; no allocation but theirs
 *   sibling    container/fifo.h: pointers instead of jobs
 */
#ifndef WEFT_POOL_INTAKE_H
#define WEFT_POOL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/status.h>

#include "container/segments.h"
#include "pool/job.h"

struct weft_intake {
    struct weft_segments list; /* the tail's position is a hint; intake.c */
};

/* How many cells of a segment are used; tests use few. */
extern uint64_t weft_intake_cells_;

/* WEFT_OK; WEFT_NO_MEMORY. */
WEFT_MUST_USE enum weft_status weft_intake_init_(struct weft_intake *q);

/* Nobody else uses it; zero bytes are fine. */
void weft_intake_fini_(struct weft_intake *q);

/* WEFT_OK; WEFT_CLOSED; WEFT_NO_MEMORY. */
WEFT_MUST_USE enum weft_status weft_intake_put_(struct weft_intake *q,
                                                struct weft_job_ job);

/* The oldest; false: there is none. */
WEFT_MUST_USE bool weft_intake_take_(struct weft_intake *q,
                                     struct weft_job_ *job);

/* Let no put succeed from now on; one that overlaps succeeds or is refused. */
void weft_intake_close_(struct weft_intake *q);

/* Whether it is closed and no take will succeed again. */
bool weft_intake_is_drained_(struct weft_intake *q);

/* Whether a take would succeed now. */
bool weft_intake_is_ready_(struct weft_intake *q);

/* How many there are; exact while nobody puts or takes. */
size_t weft_intake_size_(struct weft_intake *q);

#endif /* WEFT_POOL_INTAKE_H */

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

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/status.h>

#include "base/cacheline.h"
#include "base/pair.h"
#include "pool/job.h"

#define WEFT_INTAKE_SPARES 4

/* One end; intake.c. */
struct weft_intake_end {
    alignas(WEFT_CACHE_PAIR) struct weft_pair segment; /* {segment, life} */
    _Atomic uint64_t position;
};

struct weft_intake_segment;

struct weft_intake {
    struct weft_intake_end tail;
    struct weft_intake_end head;
    alignas(WEFT_CACHE_PAIR) _Atomic(struct weft_intake_segment *)
        spares[WEFT_INTAKE_SPARES];
};

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

/* SPDX-License-Identifier: MIT */
/*
 * base/deadline.h - the clock behind deadlines, for the library's own use.
 */
#ifndef WEFT_BASE_DEADLINE_H
#define WEFT_BASE_DEADLINE_H

#include <time.h>

#include <weft/deadline.h>

/* Return CLOCK_MONOTONIC [ns]. */
int64_t weft_clock_ns_(void);

/* Return `d` in the form in which the system takes absolute times. */
struct timespec weft_deadline_timespec_(weft_deadline d);

#endif /* WEFT_BASE_DEADLINE_H */

/* SPDX-License-Identifier: MIT */
/*
 * deadline.h - points in time until which a call may wait.
 *
 *   shape      nanoseconds of CLOCK_MONOTONIC in a signed 64-bit integer
 *
 * A deadline is absolute, so a wait in a loop never overstays and never has to
 * compute what is left.  Setting the wall clock does not disturb it.
 *
 *       weft_deadline end = weft_in_ms(200);
 *       while (!ready())
 *           if (weft_event_wait(&e, end) == WEFT_TIMEOUT)
 *               return false;
 */
#ifndef WEFT_DEADLINE_H
#define WEFT_DEADLINE_H

#include <stdint.h>

#include <weft/base.h>

WEFT_BEGIN_DECLS

typedef int64_t weft_deadline; /* CLOCK_MONOTONIC [ns] */

#define WEFT_NOW     ((weft_deadline)0)         /* never wait: the try form */
#define WEFT_FOREVER ((weft_deadline)INT64_MAX) /* no limit */

/*
 * Return the deadline that lies `n` nanoseconds (microseconds, milliseconds,
 * seconds) from now.
 *
 *   returns    the deadline; WEFT_NOW for `n` of 0 or less, WEFT_FOREVER where
 *              the sum would not fit
 *   cost       one reading of the clock
 */
WEFT_API weft_deadline weft_in_ns(int64_t n);
WEFT_API weft_deadline weft_in_us(int64_t n);
WEFT_API weft_deadline weft_in_ms(int64_t n);
WEFT_API weft_deadline weft_in_s(int64_t n);

WEFT_END_DECLS

#endif /* WEFT_DEADLINE_H */
